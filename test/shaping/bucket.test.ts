import test from 'ava';
import fc from 'fast-check';
import { bucketFor } from '../../src/shaping/bucket.ts';

const LARGEST_PACKET = 524_280;
const rates = fc.oneof(
	fc.integer({ min: 1, max: 10 ** 9 }),
	fc.maxSafeInteger().filter((rate) => rate > 0),
);
const bursts = fc.integer({ min: 1, max: 34_359_738_359 });
const mtus = fc.integer({ min: 68, max: 65_535 });
const buckets = fc.tuple(rates, bursts, mtus).map(([rate, burst, mtu]) => ({
	wanted: { rate, burst, mtu },
	...bucketFor({ rate, burst }, mtu),
}));
const always = (holds: (bucket: typeof buckets extends fc.Arbitrary<infer Bucket> ? Bucket : never) => boolean) =>
	fc.assert(fc.property(buckets, holds), { numRuns: 1000 });

const examples: readonly [string, Parameters<typeof bucketFor>, ReturnType<typeof bucketFor>][] = [
	[
		'20 Mbit/s with a burst of 100 kB',
		[{ rate: 20_000_000, burst: 800_000 }, 1420],
		{ rate: 2_500_000, burst: 100_000, queue: 62_500, largestPacket: 12_500 },
	],
	[
		'the burst that containerd asks for',
		[{ rate: 1_000_000_000, burst: 4_294_967_295 }, 1500],
		{ rate: 125_000_000, burst: 536_870_911, queue: 3_125_000, largestPacket: undefined },
	],
	[
		'the values of the reference plugin in its own tests',
		[{ rate: 8, burst: 8 }, 1500],
		{ rate: 1, burst: 1522, queue: 7610, largestPacket: undefined },
	],
	[
		'10 Gbit/s with a burst of a packet',
		[{ rate: 10_000_000_000, burst: 12_000 }, 1500],
		{ rate: 1_250_000_000, burst: 1_250_000, queue: 31_250_000, largestPacket: undefined },
	],
];
for (const [title, [limit, mtu], bucket] of examples) {
	test(title, (t) => t.deepEqual(bucketFor(limit, mtu), bucket));
}

test('the rate is that in bytes', (t) => {
	t.notThrows(() => always(({ rate, wanted }) => rate === Math.max(1, Math.floor(wanted.rate / 8))));
});

test('all that the kernel gets fits into its 32 bits, but for the rate', (t) => {
	t.notThrows(() =>
		always(({ burst, queue, largestPacket = 1 }) =>
			[burst, queue, largestPacket].every((value) => Number.isInteger(value) && value > 0 && value < 2 ** 32),
		),
	);
});

test('a packet with two VLAN tags passes, whatever the burst', (t) => {
	t.notThrows(() =>
		always(({ burst, largestPacket = burst, wanted }) => Math.min(burst, largestPacket) >= wanted.mtu + 22),
	);
});

test('the burst is what was asked for, or a packet, or a millisecond of the rate', (t) => {
	t.notThrows(() =>
		always(({ burst, rate, wanted }) => {
			const smallest = Math.max(wanted.mtu + 22, Math.floor(rate / 1000));
			return burst === Math.min(Math.max(Math.floor(wanted.burst / 8), smallest), 2 ** 32 - 1);
		}),
	);
});

test('nothing waits longer than 25 ms, or than five packets take', (t) => {
	t.notThrows(() =>
		always(({ queue, rate, wanted }) => queue <= Math.max(rate * 0.025, 5 * (wanted.mtu + 22)) && queue >= 1),
	);
});

test('whatever packet the burst lets in whole, the queue has room for five of it', (t) => {
	t.notThrows(() =>
		always(({ queue, burst, largestPacket = burst }) => {
			const largest = Math.min(burst, largestPacket, LARGEST_PACKET);
			return 5 * largest <= queue;
		}),
	);
});
