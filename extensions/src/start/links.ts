import { trans } from '../common/translation';
import type { Facts, SessionSite } from '../schema';

/** An entry of the Help menu: what it says, and where it leads; '' leads nowhere, and is not shown. */
export interface ILink {
  readonly label: string;
  readonly address: string;
}

export type LinkName = 'help' | 'docs' | 'support';

/** An address of the web as it may become a link, or ''. */
function web(address: unknown): string {
  return typeof address === 'string' && /^https?:\/\//.test(address) ? address : '';
}

function mail(address: unknown): string {
  return typeof address === 'string' && /^[^\s?&@]+@[^\s?&@]+$/.test(address) ? `mailto:${address}` : '';
}

/** Where people find help, as the site has said; a hub of an earlier release says nothing of it. */
export function links(facts: Facts | null): Readonly<Record<LinkName, ILink>> {
  const site: Partial<SessionSite> = facts?.hub?.site ?? {};
  return {
    help: { label: trans.__('Help of %1', site.name ?? ''), address: web(site.help_url) },
    docs: { label: trans.__('Documentation'), address: web(site.docs_url) },
    support: { label: trans.__('Write to support'), address: mail(site.support_email) }
  };
}
