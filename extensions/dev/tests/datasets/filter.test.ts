import { expect, it } from 'vitest';

import {
  accesses,
  EVERYTHING,
  matching,
  samples,
  searching,
  themes,
  type IFilter,
  type Segment
} from '../../../src/datasets/filter';
import { entries, entry } from './catalogue';

function names(filter: Partial<IFilter>): string[] {
  return matching(entries(), { ...EVERYTHING, ...filter }).map(one => one.name);
}

it('shows what can be used first, and wants every word of a search to fit', () => {
  expect(names({})).toEqual(['crop-trials', 'wind-farm', 'patients', 'grid-faults', 'old-census']);
  expect(names({ text: 'FARM  energy' })).toEqual(['wind-farm']);
  expect(names({ text: 'farm nothing' })).toEqual([]);
  expect(names({ theme: 'ENER' })).toEqual(['wind-farm', 'grid-faults']);
  expect(names({ theme: 'ENER', access: 'public' })).toEqual(['wind-farm']);
  expect(names({ text: 'turbines' })).toEqual(['wind-farm']);
});

it('parts what is open here from what can be added and from the rest', () => {
  const all = [...entries(), entry('mine', 'Mine', { here: { version: '1', path: '/data/mine/1' } })];
  const shown = (segment: Segment): string[] => matching(all, { ...EVERYTHING, segment }).map(one => one.name);
  expect(shown('here')).toEqual(['mine']);
  expect(shown('available')).toEqual(['crop-trials', 'wind-farm', 'patients']);
  expect(shown('all')).toHaveLength(6);
  expect(searching({ ...EVERYTHING, segment: 'here' })).toBe(false);
  expect(searching({ ...EVERYTHING, text: 'x' })).toBe(true);
});

it('lets only themes and access rights be chosen that occur', () => {
  const two = entries().slice(0, 2);
  expect(themes(two)).toEqual([
    ['AGRI', 'Agriculture, fisheries, forestry and food'],
    ['ENER', 'Energy'],
    ['ENVI', 'Environment']
  ]);
  expect(accesses(two)).toEqual([['public', 'Public']]);
});

it('shows few demo datasets as cards, and many not', () => {
  expect(samples(entries()).map(one => one.name)).toEqual(['crop-trials', 'wind-farm']);
  const many = [...Array(7).keys()].map(n => entry(`demo-${n}`, `Demo ${n}`, { keywords: ['demo'] }));
  expect(samples(many)).toEqual([]);
});
