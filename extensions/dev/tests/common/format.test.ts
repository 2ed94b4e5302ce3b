import { expect, it } from 'vitest';

import { day, size } from '../../../src/common/format';

it('writes sizes in decimal units, and rounds into the next unit', () => {
  expect([0, 999, 1000, 9_960_000, 1_234_567, 999_600, 48e9, 2e18].map(size)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '10 MB',
    '1.2 MB',
    '1.0 MB',
    '48 GB',
    '2,000 PB'
  ]);
});

it('writes days for people', () => {
  expect(day('2027-06-30')).toBe('30 June 2027');
  expect(day(null)).toBe('');
});
