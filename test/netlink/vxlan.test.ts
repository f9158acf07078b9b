import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import { changeLink } from '../../src/netlink/link.ts';
import { createVxlan, decodeVxlan, findVxlan, VXLAN_OVERHEAD, vxlanOptions } from '../../src/netlink/vxlan.ts';
import { fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { bridge } from './kernel-links.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const IFINFOMSG = 16;
const tunnel = { vni: 1024, port: 64_000, mac: '70:b3:d5:80:00:01' };

const captured: readonly Captured[] = [
	{
		command:
			'ip link add vtep1024 address 70:b3:d5:80:00:01 mtu 1450 type vxlan id 1024 dstport 64000 nolearning local 10.0.0.1 udpcsum',
		hex:
			'80000000100005060000000000000000000000000000000000000000000000000a00010070b3d5800001000008000400aa0500000d000300' +
			'7674657031303234000000003c0012000900010076786c616e0000002c00020005001200010000000800010000040000080004000a000001' +
			'050007000000000006000f00fa000000',
		ask: (connection) => connection.execute(createVxlan('vtep1024', { ...tunnel, local: '10.0.0.1', mtu: 1450 })),
	},
	{
		command:
			'ip link add vtep1024 address 70:b3:d5:80:00:01 mtu 1430 type vxlan id 1024 dstport 64000 nolearning local fd10::1 udpcsum',
		hex:
			'8c000000100005060000000000000000000000000000000000000000000000000a00010070b3d580000100000800040096050000' +
			'0d0003007674657031303234000000004800120009000100' +
			'76786c616e000000380002000500120001000000080001000004000014001100fd10000000000000000000000000000105000700' +
			'0000000006000f00fa000000',
		ask: (connection) => connection.execute(createVxlan('vtep1024', { ...tunnel, local: 'fd10::1', mtu: 1430 })),
	},
	{
		command: 'ip link set vtep1024 type vxlan local 10.0.0.9 nolearning',
		hex: '4400000010000500000000000000000000000000060000000000000000000000240012000900010076786c616e00000014000200080004000a0000090500070000000000',
		ask: (connection) =>
			connection.execute(
				changeLink({ index: 6, name: 'vtep1024' }, {}, vxlanOptions({ local: '10.0.0.9', learning: false })),
			),
	},
];

for (const one of captured) {
	test(`asks as the tool does: ${one.command}`, (t) =>
		sameAsCaptured(t, one, IFINFOMSG, { 3: 'text', 18: 0, '18/1': 'text', '18/2': 0 }));
}

for (const local of ['10.0.0.1', 'fd10::1']) {
	const { fixed, attributes } = createVxlan('vtep1024', { ...tunnel, local, mtu: 1400 });
	const payload = Buffer.concat([fixed, ...attributes]);

	test(`a tunnel end point at ${local} comes back as it was asked for`, (t) => {
		t.deepEqual(decodeVxlan(payload), { vni: 1024, port: 64_000, local, learning: false });
	});

	test(`a tunnel end point at ${local} that is cut off or garbled is refused`, (t) => {
		refusesCuts(t, decodeVxlan, payload, IFINFOMSG, { optional: true });
		survivesGarbage(t, decodeVxlan, payload);
		t.throws(() => decodeVxlan(payload.subarray(0, 15)), {
			message: 'decoding a VXLAN device: truncated (EBADMSG)',
		});
	});
}

test('a device of another kind, or none, is told apart', (t) => {
	const present = connect(fakeKernel((request) => [message(request, 16, bridge)]));
	t.like(findVxlan(present, 'm-dcos'), { link: { name: 'm-dcos' }, vxlan: undefined });
	const absent = connect(fakeKernel((request) => [refusal(request, 'ENODEV')]));
	t.is(findVxlan(absent, 'vtep1024'), undefined);
	const refused = connect(fakeKernel((request) => [refusal(request, 'EPERM')]));
	t.throws(() => findVxlan(refused, 'vtep1024'), { message: 'looking up interface "vtep1024": EPERM' });
});

// RFC 7348 §4.3: the usual advice is 50 bytes, with IPv6 20 more.
test('a tunnel takes its headers from the MTU', (t) => t.deepEqual(VXLAN_OVERHEAD, { 4: 50, 6: 70 }));
