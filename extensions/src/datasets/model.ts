import type * as schema from '../schema';

/** An organisation or a person; a contact also has an e-mail or a web address. */
export type Agent = schema.Agent & Partial<schema.Contact>;

/** A dataset as the panel shows it; of one that is open here, but that the hub does not tell of, no more is known. */
export type Dataset = schema.OpenDataset & Partial<schema.KnownDataset>;
