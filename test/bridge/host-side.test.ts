import test from 'ava';
import { servesOthers } from '../../src/bridge/host-side.ts';
import { findLink } from '../../src/netlink/link.ts';
import { fakeHost, type FakeLink } from './fake-host.ts';

const own = { name: 'veth00000000own', kind: 'veth', master: 2, alias: 'mesos-overlay dcos one eth0' };
const others: readonly [string, Partial<FakeLink>, boolean][] = [
	['of the same network', { alias: 'mesos-overlay dcos two eth0' }, true],
	['of another network', { alias: 'mesos-overlay wire two eth0' }, true],
	['of an ADD that is under way', { name: 'veth0000000soon' }, true],
	['of the reference bridge', { name: 'veth1a2b3c4d' }, false],
	['of somebody', { name: 'eth1', kind: '', alias: 'uplink' }, false],
	['of the gateway in a VLAN', { name: 'vlan0000000gate' }, false],
	['of another bridge', { alias: 'mesos-overlay dcos two eth0', master: 1 }, false],
];
for (const [whose, port, serves] of others) {
	test(`a port ${whose} ${serves ? 'counts' : 'does not count'}`, (t) => {
		const vlans = new Map([[7, true]]);
		const host = fakeHost({ name: 'm-dcos' }, own, { name: 'veth1', kind: 'veth', master: 2, vlans, ...port });
		const bridge = findLink(host.connection, 'm-dcos')!;
		t.is(servesOthers(host.connection, bridge, 0, own.name), serves);
		t.is(servesOthers(host.connection, bridge, 7, own.name), serves, 'in its VLAN');
		t.false(servesOthers(host.connection, bridge, 8, own.name), 'in another VLAN');
	});
}

test('a port that carries a VLAN with its tag is not in it', (t) => {
	const vlans = new Map([
		[1, true],
		[7, false],
	]);
	const port = { name: 'veth1', kind: 'veth', master: 2, vlans, alias: 'mesos-overlay dcos two eth0' };
	const host = fakeHost({ name: 'm-dcos' }, own, port);
	t.false(servesOthers(host.connection, findLink(host.connection, 'm-dcos')!, 7, own.name));
});
