import type { Datasets, KnownDataset } from '../../../src/schema';

/** A dataset that is public and complete, but for what is said otherwise. */
export function entry(name: string, title: string, more: Partial<KnownDataset> = {}): KnownDataset {
  return {
    name,
    title,
    description: `What ${title} is.`,
    publisher: { name: 'Institute of Examples', uri: 'https://example.org/' },
    creator: null,
    contact: { name: 'Data desk', email: 'data@example.org', url: null },
    licence: 'https://creativecommons.org/licenses/by/4.0/',
    access: 'public',
    themes: ['TECH'],
    keywords: [],
    languages: ['ENG'],
    personal_data: 'none',
    purposes: [],
    agreement: null,
    provenance: 'Generated for this test.',
    retention: 'As long as it is used',
    retain_until: null,
    page: null,
    latest: '1',
    versions: [],
    path: `/data/${name}`,
    state: 'open',
    why: '',
    hint: '',
    until: null,
    requested: false,
    waits: false,
    refused: false,
    may_request: more.state === 'not-granted',
    told: '',
    chosen: false,
    here: null,
    ...more
  };
}

/** One of every state, and two for the gallery. */
export function entries(): KnownDataset[] {
  return [
    entry('wind-farm', 'Wind farm, hourly output', { themes: ['ENER', 'ENVI'], keywords: ['demo', 'turbines'] }),
    entry('crop-trials', 'Crop trials', { themes: ['AGRI'], keywords: ['demo'] }),
    entry('patients', 'Patients of a ward (synthetic)', {
      access: 'restricted',
      themes: ['HEAL'],
      personal_data: 'pseudonymised',
      state: 'agreement',
      until: '2027-06-30'
    }),
    entry('grid-faults', 'Faults of a power grid', { access: 'non-public', themes: ['ENER'], state: 'not-granted' }),
    entry('old-census', 'Census of 1971', { themes: ['SOCI'], state: 'retired' })
  ];
}

/** What the session's server answers to `GET fabric/datasets`. */
export function told(datasets: Datasets['datasets'], more: Partial<Datasets> = {}): Datasets {
  return {
    project: 'twin',
    enforced: true,
    notice: '',
    datasets_page: '/hub/datasets',
    datasets,
    problem: '',
    node_problem: '',
    ...more
  };
}
