import test from 'ava';
import { readLimits } from '../../src/shaping/limits.ts';
import { refuses } from '../cni/assertions.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

const limitsOf = (keys: Record<string, unknown>) => readLimits(configurationOf({ ...minimal, ...keys }));
const both = { ingressRate: 8, ingressBurst: 16, egressRate: 24, egressBurst: 32 };
const meaning = { ingress: { rate: 8, burst: 16 }, egress: { rate: 24, burst: 32 } };
const other = { ingressRate: 1, ingressBurst: 1 };

for (const [title, keys] of [
	['of the network', { bandwidth: both }],
	['of the runtime', { runtimeConfig: { bandwidth: both } }],
	['of the network rather than of the runtime', { bandwidth: both, runtimeConfig: { bandwidth: other } }],
	['of the runtime when the network has no key', { bandwidth: {}, runtimeConfig: { bandwidth: both } }],
	[
		'of the runtime when the keys of the network are null',
		{ bandwidth: { egressRate: null }, runtimeConfig: { bandwidth: both } },
	],
	[
		'whatever the case of the keys',
		{ Bandwidth: { INGRESSRATE: 8, ingressburst: 16, EgressRate: 24, EGRESSBURST: 32 } },
	],
] as const) {
	test(`limits ${title}`, (t) => t.deepEqual(limitsOf(keys), meaning));
}

for (const keys of [
	{},
	{ bandwidth: null },
	{ bandwidth: {}, runtimeConfig: { bandwidth: {} } },
	{ bandwidth: { unknown: 1 } },
	{ bandwidth: { ingressRate: 0, egressBurst: 0 } },
	// Of the reference, too: what the operator says counts, even if it is nothing.
	{ bandwidth: { ingressRate: 0 }, runtimeConfig: { bandwidth: both } },
]) {
	test(`no limits: ${JSON.stringify(keys)}`, (t) => t.is(limitsOf(keys), undefined));
}

test('one direction alone', (t) => {
	const { ingressRate, ingressBurst, ...egress } = both;
	t.deepEqual(limitsOf({ bandwidth: egress }), { ...meaning, ingress: undefined });
	t.deepEqual(limitsOf({ bandwidth: { ingressRate, ingressBurst, egressRate: 0 } }), {
		...meaning,
		egress: undefined,
	});
});

const highest = 'a whole number from 0 to 9007199254740991';
const highestBurst = 'a whole number from 0 to 34359738359';
const wrong: readonly [Record<string, unknown>, string][] = [
	[{ bandwidth: true }, 'reading bandwidth: expected an object, got true'],
	[{ runtimeConfig: { bandwidth: [] } }, 'reading runtimeConfig.bandwidth: expected an object, got a list'],
	[{ bandwidth: { ingressRate: true } }, `reading bandwidth.ingressRate: expected ${highest}, got true`],
	[{ bandwidth: { ...both, egressRate: '1M' } }, `reading bandwidth.egressRate: expected ${highest}, got "1M"`],
	[{ bandwidth: { ...both, egressRate: -1 } }, `reading bandwidth.egressRate: expected ${highest}, got -1`],
	[{ bandwidth: { ...both, egressRate: 1.5 } }, `reading bandwidth.egressRate: expected ${highest}, got 1.5`],
	[{ bandwidth: { ...both, ingressRate: 2 ** 53 } }, `expected ${highest}, got 9007199254740992`],
	[{ bandwidth: { ...both, ingressBurst: -8 } }, `reading bandwidth.ingressBurst: expected ${highestBurst}, got -8`],
	[{ bandwidth: { ...both, egressBurst: 34_359_738_360 } }, `expected ${highestBurst}, got 34359738360`],
	[
		{ runtimeConfig: { bandwidth: { ingressRate: 1000 } } },
		'reading runtimeConfig.bandwidth.ingressBurst: expected the bits that may go at once, since ingressRate is 1000, got nothing',
	],
	[
		{ bandwidth: { egressRate: 1000, egressBurst: 0 } },
		'reading bandwidth.egressBurst: expected the bits that may go at once, since egressRate is 1000, got 0',
	],
	[
		{ bandwidth: { egressBurst: 1000 } },
		'reading bandwidth.egressRate: expected bits a second, since egressBurst is 1000, got nothing',
	],
];
for (const [keys, message] of wrong) {
	test(`refused: ${message}`, (t) => refuses(t, () => limitsOf(keys), 7, message));
}
