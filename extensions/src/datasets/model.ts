/** An organisation or a person; a contact also has an e-mail or a web address. */
export interface IAgent {
  readonly name: string;
  readonly uri?: string | null;
  readonly email?: string | null;
  readonly url?: string | null;
}

/** One immutable state of a dataset. Sizes are bytes, times Unix seconds. */
export interface IVersion {
  readonly version: string;
  readonly bytes?: number;
  readonly files?: number;
  readonly formats?: Readonly<Record<string, number>>;
  readonly sha256?: string;
  readonly published_at?: number | null;
}

/** An entry of the catalogue, as the hub's service tells it; `here` is where it is open in this session. */
export interface IDataset {
  readonly name: string;
  readonly title?: string | null;
  readonly description?: string | null;
  readonly publisher?: IAgent | null;
  readonly contact?: IAgent | null;
  readonly licence?: string | null;
  readonly access?: string | null;
  readonly themes?: readonly string[];
  readonly keywords?: readonly string[];
  readonly personal_data?: string | null;
  readonly purposes?: readonly { readonly name: string; readonly text: string }[];
  readonly agreement?: { readonly version: string } | null;
  readonly provenance?: string | null;
  readonly retention?: string | null;
  readonly retain_until?: string | null;
  readonly page?: string | null;
  readonly versions?: readonly IVersion[];
  readonly latest?: string | null;
  readonly state: string;
  readonly why?: string;
  readonly hint?: string;
  readonly until?: string | null;
  readonly requested?: boolean;
  readonly here: { readonly version: string | null; readonly path: string } | null;
}

/** The body of `GET fabric/datasets`; `problem` and `node_problem` are sentences, or ''. */
export interface IDatasets {
  readonly project: string;
  readonly enforced: boolean | null;
  readonly notice: string;
  readonly datasets_page: string;
  readonly datasets: readonly IDataset[];
  readonly problem: string;
  readonly node_problem: string;
}

/** One notebook cell that loads a dataset. */
export interface ISnippet {
  readonly label: string;
  readonly code: string;
}

/** The body of `GET fabric/datasets/NAME/files`. */
export interface IFiles {
  readonly path: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly more: boolean;
  readonly snippets: readonly ISnippet[];
}
