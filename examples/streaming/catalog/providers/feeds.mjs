// Stands in for the providers that the catalog gathers from: each feed has a shape of its own, made one here.

const films = {
  results: [
    { name: 'Cat on Film', seconds: 5_400 },
    { name: 'The Long Drain', seconds: 7_260 },
  ],
};
const series = { shows: { 'Blue, Green': [{ title: 'Pilot' }, { title: 'Handover' }] } };
const live = ['Harbour camera', 'Night sky'];

/** Feed name → items `{ title, kind, minutes? }`. */
export const feeds = {
  films: () => films.results.map(({ name, seconds }) => ({ title: name, kind: 'film', minutes: Math.round(seconds / 60) })),
  series: () =>
    Object.entries(series.shows).flatMap(([show, episodes]) =>
      episodes.map(({ title }, index) => ({ title: `${show} ${index + 1}: ${title}`, kind: 'episode' })),
    ),
  live: () => live.map((title) => ({ title, kind: 'live' })),
};
