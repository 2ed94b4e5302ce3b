import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { trans } from '../common/translation';
import type { IDatasetProps } from './list';

/** Asks for access, with the reason if there is one to give. */
export function RequestForm({ dataset, store }: IDatasetProps): React.JSX.Element {
  const [reason, write] = React.useState('');
  const { name } = dataset;
  const busy = store.busy.has(name);
  const why = [dataset.why, dataset.hint].filter(Boolean).join(' ');
  return (
    <form
      className="fabric-Dataset-request"
      aria-label={trans.__('Request for access to %1', name)}
      onSubmit={event => {
        event.preventDefault();
        if (!busy) {
          void store.request(name, reason.trim());
        }
      }}
    >
      {why ? <p>{why}</p> : null}
      <label className="fabric-Panel-field">
        {trans.__('Reason (optional)')}
        <input className="jp-mod-styled" maxLength={300} value={reason} onChange={event => write(event.target.value)} />
      </label>
      <p>{trans.__('Operators see your name and reason.')}</p>
      <Button
        type="submit"
        minimal={false}
        small
        className="fabric-Panel-act jp-mod-styled jp-mod-accept"
        aria-label={trans.__('Send the request for %1', name)}
        aria-disabled={busy}
      >
        {trans.__('Send request')}
      </Button>
    </form>
  );
}
