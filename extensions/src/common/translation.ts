import { PageConfig } from '@jupyterlab/coreutils';
import type { ITranslator } from '@jupyterlab/translation';
import { Gettext } from '@jupyterlab/translation/lib/gettext';

const DOMAIN = 'fabric_lab';

/** As much of JupyterLab's bundle of translations as is used here. */
interface ITexts {
  __(text: string, ...parts: unknown[]): string;
  _n(one: string, many: string, count: number, ...parts: unknown[]): string;
  _p(context: string, text: string): string;
}

/** A catalogue as this session's server puts it into the page, and JupyterLab's own requests have it: Jed's format. */
type Catalogue = Readonly<Record<string, readonly string[]>> & { readonly ''?: { readonly plural_forms: string } };

function bundle(language: string, catalogue: Catalogue): ITexts {
  const texts = new Gettext({ domain: DOMAIN, locale: language });
  const head = catalogue[''];
  if (head) {
    const json = { ...catalogue, '': { ...head, language, pluralForms: head.plural_forms } };
    texts.loadJSON(json as unknown as Parameters<Gettext['loadJSON']>[0], DOMAIN);
  }
  return texts;
}

let texts: ITexts = bundle('en', {});
let tag = 'en-GB';
let lab = 'en';

/** Our sentences in the reader's language; `%1` is the first part. Nothing is to be said before {@link translate}. */
export const trans: Omit<ITexts, '_p'> = {
  __: (text, ...parts) => texts.__(text, ...parts),
  _n: (one, many, count, ...parts) => texts._n(one, many, count, ...parts)
};

/** A text of a schema in the reader's language: what is said there is known by its context, as JupyterLab names them. */
export function ofSchema(context: 'schema' | 'settings', text: string): string {
  return texts._p(context, text);
}

/** How `Intl` is to write numbers and dates. English is that of Europe: 24 hours, the day before the month. */
export function locale(): string {
  return tag;
}

/** Whether JupyterLab's own words are in another language than ours. */
export function mixed(): boolean {
  return baseOf(tag) !== lab;
}

function baseOf(language: string): string {
  return language.split(/[-_]/)[0] ?? 'en';
}

function speak(language: string, spoken: ITexts): void {
  texts = spoken;
  tag = language === 'en' ? 'en-GB' : language.replace('_', '-');
}

/**
 * Speak the reader's language from now on: what is chosen in JupyterLab where we have it, else what was chosen on the
 * hub, whose catalogue is in the page.
 */
export function translate(translator: ITranslator | null): void {
  const chosen = translator?.languageCode ?? 'en';
  lab = baseOf(chosen);
  const page = PageConfig.getOption('fabricLanguage') || 'en';
  const trans = translator?.load(DOMAIN);
  // a bundle without our catalogue says every text as it is written here
  if (trans && baseOf(chosen) !== 'en' && trans.__('Available') !== 'Available') {
    speak(chosen, trans);
  } else if (page !== 'en') {
    speak(page, bundle(page, JSON.parse(PageConfig.getOption('fabricTexts') || '{}') as Catalogue));
  } else {
    speak('en', bundle('en', {}));
  }
}
