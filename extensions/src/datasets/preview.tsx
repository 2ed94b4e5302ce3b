import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { number, size } from '../common/format';
import { trans } from '../common/translation';
import type { File, Files, Table } from '../schema';
import type { Dataset } from './model';
import type { DatasetsStore } from './store';

interface IProps {
  readonly dataset: Dataset;
  readonly store: DatasetsStore;
}

/** The files of a dataset that is open here, and the first rows of one of them. */
export function Preview({ dataset, store }: IProps): React.JSX.Element | null {
  const found = dataset.here ? store.files.get(dataset.here.path) : undefined;
  return found ? (
    <>
      <Rows name={dataset.name} found={found} store={store} />
      <List name={dataset.name} found={found} />
    </>
  ) : null;
}

interface IFilesProps {
  readonly name: string;
  readonly found: Files;
}

function List({ name, found }: IFilesProps): React.JSX.Element {
  const id = `fabric-dataset-files-${name}`;
  const { files, more } = found;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{trans.__('Files')}</h3>
      <div className="fabric-Dataset-scroll" tabIndex={0} role="group" aria-labelledby={id}>
        <table className="fabric-Dataset-table">
          <thead>
            <tr>
              <th scope="col">{trans.__('File')}</th>
              <th scope="col">{trans.__('Size')}</th>
            </tr>
          </thead>
          <tbody>
            {files.map(file => (
              <tr key={file.name}>
                <th scope="row">{file.name}</th>
                <td className="fabric-Dataset-number">{size(file.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more ? <p>{trans.__('There are more files than these %1.', number(files.length))}</p> : null}
    </section>
  );
}

function Rows({ name, found, store }: IFilesProps & { readonly store: DatasetsStore }): React.JSX.Element | null {
  const tables = found.files.filter(file => file.table);
  const [wanted, choose] = React.useState('');
  const file = (tables.find(one => one.name === wanted) ?? tables[0])?.name ?? '';
  React.useEffect(() => {
    if (file) {
      void store.showRows(name, file);
    }
  }, [store, name, file]);
  if (!file) {
    return null;
  }
  const id = `fabric-dataset-rows-${name}`;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{trans.__('First rows')}</h3>
      <Choice files={tables} file={file} choose={choose} />
      <Shown rows={store.rowsOf(name, file)} labelledBy={id} />
    </section>
  );
}

interface IChoiceProps {
  readonly files: readonly File[];
  readonly file: string;
  readonly choose: (file: string) => void;
}

function Choice({ files, file, choose }: IChoiceProps): React.JSX.Element {
  return files.length > 1 ? (
    <label className="fabric-Panel-field fabric-Dataset-way">
      {trans.__('File')}
      <HTMLSelect value={file} onChange={event => choose(event.target.value)}>
        {files.map(one => (
          <option key={one.name} value={one.name}>
            {one.name}
          </option>
        ))}
      </HTMLSelect>
    </label>
  ) : (
    <p>{file}</p>
  );
}

interface IShownProps {
  readonly rows: Table | string | undefined;
  readonly labelledBy: string;
}

function Shown({ rows, labelledBy }: IShownProps): React.JSX.Element {
  if (rows === undefined) {
    return <p role="status">{trans.__('Reading the first rows …')}</p>;
  }
  if (typeof rows === 'string') {
    return <p role="status">{rows}</p>;
  }
  return (
    <>
      <div className="fabric-Dataset-scroll" tabIndex={0} role="group" aria-labelledby={labelledBy}>
        <table className="fabric-Dataset-table">
          <thead>
            <tr>
              {rows.columns.map((column, index) => (
                <th key={index} scope="col">
                  {column.name} <span className="fabric-Dataset-kind">{column.kind}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.rows.map((row, line) => (
              <tr key={line}>
                {row.map((cell, index) => (
                  <td key={index}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p>{extent(rows)}</p>
    </>
  );
}

/** How much of a table is shown: "20 rows of 8,760", "The first 20 rows; 3 more columns". */
export function extent({ rows, total, more, more_columns: columns }: Table): string {
  const shown =
    total !== null
      ? trans.__('%1 of %2 rows.', number(rows.length), number(total))
      : more
        ? trans.__('The first %1 rows.', number(rows.length))
        : trans._n('%2 row.', '%2 rows.', rows.length, number(rows.length));
  return columns > 0
    ? `${shown} ${trans._n('%2 more column is not shown.', '%2 more columns are not shown.', columns, number(columns))}`
    : shown;
}
