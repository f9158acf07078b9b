import test from 'ava';
import { decodeParameters } from '../../src/netlink/network-parameters.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';

const decode = (payload: Buffer) => decodeParameters(payload, 6, 'vtep1024');

// What Linux 6.18 tells: `echo 0 > /proc/sys/net/ipv4/ip_forward`, and `echo 1 > …/ipv4/conf/vtep1024/rp_filter`
const told: readonly [string, string][] = [
	['ipv4/ip_forward', '0200000008000100ffffffff0800020000000000'],
	['ipv4/conf/vtep1024/rp_filter', '0200000008000100060000000800030001000000'],
];

for (const [name, hex] of told) {
	const payload = Buffer.from(hex, 'hex');

	test(`what the kernel tells of ${name}`, (t) => t.deepEqual([...decode(payload).keys()], [name]));

	test(`what the kernel tells of ${name}, cut off or garbled, is refused`, (t) => {
		refusesCuts(t, decode, payload, 4, { optional: true });
		survivesGarbage(t, decode, payload);
		t.throws(() => decode(payload.subarray(0, 3)), { message: 'decoding parameters: truncated (EBADMSG)' });
	});
}

test('of other links nothing is told', (t) =>
	t.is(decodeParameters(Buffer.from(told[1]?.[1] ?? '', 'hex'), 7, 'a').size, 0));
