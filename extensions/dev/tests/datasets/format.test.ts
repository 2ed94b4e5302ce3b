import { expect, it } from 'vitest';

import { current, formats, licence, link, stateName, stateOf, termsPage } from '../../../src/datasets/format';
import type { Dataset } from '../../../src/datasets/model';
import type { OfferedVersion } from '../../../src/schema';
import { entries, entry, told } from './catalogue';

it('tells states in words', () => {
  const [first, ...more] = entries();
  const all = [
    { ...first, here: { version: '1', path: '/data/wind-farm/1' } },
    ...more,
    { name: 'x', state: 'not-granted', requested: true, here: null },
    { name: 'y', state: 'news', here: null }
  ] as Dataset[];
  expect(all.map(one => stateName(stateOf(one)))).toEqual([
    'In this session',
    'Available',
    'Terms to accept',
    'No access yet',
    'Retired',
    'Access requested',
    'Not available'
  ]);
});

it('names licences by their short names', () => {
  expect(licence('https://creativecommons.org/licenses/by-sa/4.0/')).toBe('CC BY-SA 4.0');
  expect(licence('https://creativecommons.org/publicdomain/zero/1.0/')).toBe('CC0 1.0');
  expect(licence('http://publications.europa.eu/resource/authority/licence/CC_BY_4_0')).toBe('CC BY 4.0');
  expect(licence('https://example.org/terms')).toBe('https://example.org/terms');
});

it('makes a link of nothing but an address of the web', () => {
  expect(['https://x.org', 'javascript:alert(1)', 'data:text/html,x', '', null].map(link)).toEqual([
    'https://x.org',
    null,
    null,
    null,
    null
  ]);
});

it('counts formats for people', () => {
  expect(formats({ csv: 3, '': 1, 'csv.gz': 12000 })).toBe('12,000 csv.gz, 3 csv, 1 without a suffix');
});

it('reads the version that is open, else the latest, else the last', () => {
  const versions = ['1', '2', '3'].map(version => ({ version }) as OfferedVersion);
  const dataset = entry('x', 'X', { versions, latest: '2' });
  expect(current({ ...dataset, here: { version: '1', path: '/data/x/1' } })?.version).toBe('1');
  expect(current(dataset)?.version).toBe('2');
  expect(current({ ...dataset, latest: 'gone' })?.version).toBe('3');
});

it('quotes names in the address of a page with terms', () => {
  expect(termsPage(told([], { project: 'a&b' }), 'x/../y')).toBe('/hub/datasets/x%2F..%2Fy?project=a%26b');
});
