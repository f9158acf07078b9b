import test from 'ava';
import fc from 'fast-check';
import { connect } from '../../src/netlink/connection.ts';
import { addTokenBucket, burstPrecision, decodeTokenBucket, findTokenBucket } from '../../src/netlink/token-bucket.ts';
import { fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const TCMSG = 20;
const RTM_NEWQDISC = 36;
const veth0 = { index: 4, name: 'veth0' };
const shape = { 1: 'text', 2: 0 } as const;

/** The parameters begin with details of the tables of rates that tc sends along, at which kernels no longer look. */
const captured: readonly Captured[] = [
	{
		command: 'tc qdisc add dev veth0 handle 1: root tbf rate 8mbit burst 100000 limit 25000',
		hex: '60000000240005060000000000000000 0000000004000000 00000100ffffffff00000000 0800010074626600 34000200 2800010003010000ffff000040420f00000000000000000000000000a861000084d7170000000000 08000600a0860100',
		ask: (connection) =>
			connection.execute(addTokenBucket(veth0, { rate: 1_000_000, burst: 100_000, queue: 25_000 })),
		ours: ['2/1 000100000000000040420f00000000000000000000000000a861000084d7170000000000'],
		theirs: ['2/1 03010000ffff000040420f00000000000000000000000000a861000084d7170000000000'],
	},
	{
		command: 'tc qdisc add dev veth0 handle 1: root tbf rate 80gbit burst 10000000 limit 250000000',
		hex: '6c000000240005060000000000000000 0000000004000000 00000100ffffffff00000000 0800010074626600 40000200 2800010003010000ffff0000ffffffff00000000000000000000000080b2e60e178e000000000000 0800060080969800 0c00040000e40b5402000000',
		ask: (connection) =>
			connection.execute(addTokenBucket(veth0, { rate: 10 ** 10, burst: 10 ** 7, queue: 250_000_000 })),
		// Tc counts in microseconds on its way to 64 nanoseconds.
		ours: ['2/1 0001000000000000ffffffff00000000000000000000000080b2e60e093d000000000000'],
		theirs: ['2/1 03010000ffff0000ffffffff00000000000000000000000080b2e60e178e000000000000'],
	},
	{
		command:
			'tc qdisc add dev veth0 handle 1: root tbf rate 8mbit burst 100000 limit 25000 peakrate 8000tbit mtu 6250',
		hex: '74000000240005060000000000000000 0000000004000000 00000100ffffffff00000000 0800010074626600 48000200 2800010005010000ffff000040420f0005010000ffff0000ffffffffa861000084d717000f000000 08000600a0860100 0c0005000080c6a47e8d0300 080007006a180000',
		ask: (connection) =>
			connection.execute(
				addTokenBucket(veth0, { rate: 1_000_000, burst: 100_000, queue: 25_000, largestPacket: 6250 }),
			),
		ours: ['2/1 000100000000000040420f000001000000000000ffffffffa861000084d7170000000000'],
		theirs: ['2/1 05010000ffff000040420f0005010000ffff0000ffffffffa861000084d717000f000000'],
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) =>
		sameAsCaptured(t, { ...each, hex: each.hex.replaceAll(' ', '') }, TCMSG, shape));
}

const answers = {
	// tc qdisc add dev veth0 handle 1: root tbf rate 8mbit burst 100000 limit 25000 peakrate 8000tbit mtu 6250
	slow: '000000000400000000000100ffffffff0300000008000100746266003800020028000100000100000000000040420f000001000000000000ffffffffa861000084d71700000000000c0005000080c6a47e8d030005000c00000000003000070014000100000000000000000000000000000000001800030000000000000000000000000000000000000000002c00030000000000000000000000000000000000000000000000000000000000000000000000000000000000',
	// tc qdisc add dev veth0 handle 1: root tbf rate 80gbit burst 10000000 limit 250000000
	fast: '000000000400000000000100ffffffff03000000080001007462660038000200280001000001000000000000ffffffff00000000000000000000000080b2e60e083d0000000000000c00040000e40b540200000005000c00000000003000070014000100000000000000000000000000000000001800030000000000000000000000000000000000000000002c00030000000000000000000000000000000000000000000000000000000000000000000000000000000000',
	none: '000000000500000000000000ffffffff020000000f000100706669666f5f66617374000018000200030000000102020201020000010101010101010105000c00000000003000070014000100d20000000000000003000000000000001800030000000000000000000000000000000000000000002c000300d2000000000000000300000000000000000000000000000000000000000000000000000000000000',
} as const;
const [slow, fast, none] = [answers.slow, answers.fast, answers.none].map((hex) => Buffer.from(hex, 'hex')) as [
	Buffer,
	Buffer,
	Buffer,
];

test('what Linux 6.18 says of a token bucket, of one whose rate has more than 32 bits, and of another discipline', (t) => {
	t.deepEqual(decodeTokenBucket(slow), { rate: 1_000_000, burst: 100_000, queue: 25_000 });
	const { burst = 0, ...rest } = decodeTokenBucket(fast) ?? {};
	t.deepEqual(rest, { rate: 10 ** 10, queue: 250_000_000 });
	t.true(Math.abs(burst - 10 ** 7) <= burstPrecision({ rate: 10 ** 10, burst: 10 ** 7, queue: 0 }));
	t.is(decodeTokenBucket(none), undefined);
});

test('what is cut off or garbled is refused', (t) => {
	refusesCuts(t, decodeTokenBucket, slow, TCMSG, { optional: false });
	for (const payload of [slow, fast, none]) survivesGarbage(t, decodeTokenBucket, payload);
	t.throws(() => decodeTokenBucket(slow.subarray(0, TCMSG - 1)), {
		message: 'decoding a queueing discipline or filter: truncated (EBADMSG)',
	});
});

test('the discipline of a device is asked for, and answered even by kernels that tell listeners only', (t) => {
	const found = connect(fakeKernel((request) => [message(request, RTM_NEWQDISC, slow)]));
	t.is(findTokenBucket(found, veth0)?.rate, 1_000_000);
	const absent = connect(fakeKernel((request) => [refusal(request, 'ENOENT')]));
	t.is(findTokenBucket(absent, veth0), undefined);
	const [request] = requestsOf((connection) => findTokenBucket(connection, veth0));
	t.is(request?.payload.toString('hex'), '00000000 04000000 00000000 ffffffff 00000000'.replaceAll(' ', ''));
	t.is((request?.flags ?? 0) & 0x8, 0x8);
	t.throws(() => findTokenBucket(connect(fakeKernel((each) => [refusal(each, 'EPERM')])), veth0), {
		message: 'asking for the queueing discipline of "veth0": EPERM',
	});
});

test('a burst that the kernel tells as time comes back to the precision of that', (t) => {
	const rates = fc.integer({ min: 1, max: 2 ** 40 });
	const bursts = fc.integer({ min: 1, max: 2 ** 32 - 1 });
	const property = fc.property(rates, bursts, (rate, burst) => {
		const bucket = { rate, burst, queue: 1 };
		const [request] = requestsOf((connection) => connection.execute(addTokenBucket(veth0, bucket)));
		const told = decodeTokenBucket(request?.payload ?? Buffer.alloc(0));
		t.is(told?.rate, rate);
		t.true(Math.abs((told?.burst ?? 0) - burst) <= burstPrecision(bucket));
	});
	fc.assert(property);
});

test('a rate and a device are named when the kernel refuses', (t) => {
	const { operation } = addTokenBucket(veth0, { rate: 1_000_000, burst: 1, queue: 1 });
	t.is(operation, 'limiting the output of "veth0" to 8000000 bit/s');
});
