import test from 'ava';
import { createVeth } from '../../src/netlink/veth.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const shape = { 18: 0, '18/1': 'text', '18/2': 0, '18/2/1': 16, '18/2/1/3': 'text', 3: 'text' } as const;

const captured: Captured = {
	command:
		'ip link add veth0 mtu 1420 address 02:64:09:00:01:09 up master m-dcos type veth ' +
		'peer name eth0 mtu 1420 address 02:64:09:00:01:02 netns c1',
	hex: '9400000010000506000000000000000000000000000000000100000001000000080004008c0500000a000100026409000109000008000a00020000000a00030076657468300000004c0012000800010076657468400002003c00010000000000000000000000000000000000080004008c0500000a000100026409000102000008001c0004000000090003006574683000000000',
	ask: (connection) =>
		connection.execute(
			createVeth({
				name: 'veth0',
				master: 2,
				mtu: 1420,
				mac: '02:64:09:00:01:09',
				peer: { name: 'eth0', mac: '02:64:09:00:01:02', namespace: 4 },
			}),
		),
};

test(`asks as the tool does: ${captured.command}`, (t) => sameAsCaptured(t, captured, 16, shape));

test('a pair on the host, whose ends get MACs from the kernel and no bridge', (t) => {
	const request = createVeth({ name: 'a', mtu: 1400, peer: { name: 'b' } });
	t.is(request.operation, 'creating veth "a" with peer "b"');
	const payload = requestsOf((connection) => connection.execute(request))[0]!.payload.toString('hex');
	const mtu = '0800040078050000';
	const peer = `28000280 24000100 ${'00'.repeat(16)} 0600030062000000 ${mtu}`;
	const info = `38001280 0900010076657468 00000000 ${peer}`;
	const expected = `00000000000000000100000001000000 0600030061000000 ${mtu} ${info}`;
	t.is(payload, expected.replaceAll(' ', ''));
});
