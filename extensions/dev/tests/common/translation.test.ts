import { PageConfig } from '@jupyterlab/coreutils';
import type { ITranslator } from '@jupyterlab/translation';
import { afterEach, describe, expect, it } from 'vitest';

import { day, size } from '../../../src/common/format';
import { locale, mixed, trans, translate } from '../../../src/common/translation';

const DUTCH = {
  '': { domain: 'fabric_lab', language: 'nl', plural_forms: 'nplurals=2; plural=(n != 1);' },
  Available: ['Beschikbaar'],
  '%1 of %2 GB': ['%1 van %2 GB'],
  '%1 worker': ['%1 worker', '%1 workers'],
  '%2 file': ['%2 bestand', '%2 bestanden']
};

/** JupyterLab in a language, with or without our catalogue in it. */
function lab(languageCode: string, texts: Readonly<Record<string, string>> = {}): ITranslator {
  const say = (text: string): string => texts[text] ?? text;
  return { languageCode, load: () => ({ __: say, _n: say }) } as unknown as ITranslator;
}

function page(language: string): void {
  PageConfig.setOption('fabricLanguage', language);
  PageConfig.setOption('fabricTexts', language === 'nl' ? JSON.stringify(DUTCH) : '');
}

afterEach(() => {
  page('');
  translate(null);
});

describe('the language of our texts', () => {
  it('is English without a choice', () => {
    translate(null);
    expect(trans.__('Available')).toBe('Available');
    expect(locale()).toBe('en-GB');
  });

  it('is the one that was chosen on the hub, with its plurals, numbers and dates', () => {
    page('nl');
    translate(lab('en'));
    expect(trans.__('%1 of %2 GB', 1, 2)).toBe('1 van 2 GB');
    expect([1, 2].map(count => trans._n('%2 file', '%2 files', count, count))).toEqual(['1 bestand', '2 bestanden']);
    expect(size(1_234_567)).toBe('1,2 MB');
    expect(day('2026-12-03')).toBe('3 december 2026');
    expect(mixed()).toBe(true);
  });

  it('is JupyterLab’s own where that is chosen and we have it', () => {
    translate(lab('nl-NL', { Available: 'Beschikbaar' }));
    expect(trans.__('Available')).toBe('Beschikbaar');
    expect(locale()).toBe('nl-NL');
    expect(mixed()).toBe(false);
  });

  it('stays the hub’s where JupyterLab speaks one that we have not', () => {
    page('nl');
    translate(lab('fr-FR'));
    expect(trans.__('Available')).toBe('Beschikbaar');
  });
});
