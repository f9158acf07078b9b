import test from 'ava';
import { hostInterfaceName } from '../../src/linux/host-interface-name.ts';
import { awaitForwarding, createPort, removePort } from '../../src/bridge/port.ts';
import { findBridge } from '../../src/bridge/bridge-device.ts';
import type { Link } from '../../src/netlink/link.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { refuses } from '../cni/assertions.ts';
import { requestOf } from '../cni/requests.ts';
import { readKeys, undoing } from './configurations.ts';
import { fakeHost, type FakeHost, RTM } from './fake-host.ts';

// A name that no device of the machine has, since the sysctls of the bridge are looked for in /proc.
const bridge = 'm-none-such';
const request = requestOf({ bridge });
const port = hostInterfaceName(request);
const ends = { namespace: 42, mac: '02:64:09:00:01:02', bridgeMac: '02:64:09:00:01:01' };

const creating = `creating veth "${port}" with peer "eth0"`;

function create(host: FakeHost, keys: Record<string, unknown> = {}, existing?: Link) {
	const steps = undoing();
	const known = existing ?? findBridge(host.connection, bridge);
	host.story.length = 0;
	const made = () => createPort(host.connection, readKeys({ bridge, ...keys }), request, ends, known, steps.undo);
	return { steps, made };
}

test('a port is made with its pair, in its bridge, and told whose it is', (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { steps, made } = create(host, { mtu: 1400 });
	t.like(made(), { portName: port, bridge: { name: bridge } });
	t.like(host.link(port), { kind: 'veth', up: true, master: 2, mtu: 1400, alias: 'mesos-overlay dcos c1 eth0' });
	t.deepEqual(host.story, [creating, `changing interface "${port}"`]);
	t.deepEqual(steps.names, [`interface "${port}"`]);
	const pair = host.kernel.requests.find(({ flags }) => (flags & 0x400) !== 0);
	t.true(pair?.payload.includes(Buffer.from('08001c002a000000', 'hex')), 'the namespace of the other end');
	t.true(pair?.payload.includes(Buffer.from('0a000100026409000102', 'hex')), 'the MAC of the other end');
});

test('the first port makes the bridge, too, and undoing takes back both', async (t) => {
	const host = fakeHost();
	const { steps, made } = create(host);
	made();
	t.deepEqual(steps.names, [`bridge "${bridge}"`, `interface "${port}"`]);
	t.is(host.links.length, 2);
	await steps.run();
	t.deepEqual(host.links, []);
});

for (const [keys, data] of [
	[{}, '0500040001000000'],
	[{ hairpinMode: false }, '0500040000000000'],
	[{ portIsolation: true }, '05000400010000000500210001000000'],
] as const) {
	test(`the options of a port with ${JSON.stringify(keys)}`, (t) => {
		const host = fakeHost({ name: bridge, up: true });
		create(host, keys).made();
		const last = host.kernel.requests.at(-1)?.payload.toString('hex') ?? '';
		t.true(last.includes(`${(4 + data.length / 2).toString(16).padStart(2, '0')}000580${data}`), last);
	});
}

test('a port in a VLAN', (t) => {
	const host = fakeHost({ name: bridge, up: true, vlanFiltering: true });
	create(host, { vlan: 7 }).made();
	t.deepEqual([...host.link(port)!.vlans], [[7, true]]);
});

test('a bridge that vanishes before the port joins it is made again', (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { steps, made } = create(host);
	host.before(RTM.newLink, () => host.remove(bridge));
	made();
	t.like(host.link(port), { master: host.link(bridge)!.index });
	t.deepEqual(steps.names, [`bridge "${bridge}"`, `interface "${port}"`]);
	t.deepEqual(
		host.story.filter((each) => each.startsWith('creating')),
		[creating, `creating bridge "${bridge}"`, creating],
	);
});

test('a bridge that somebody else has made again meanwhile is joined', (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { steps, made } = create(host);
	host.before(RTM.newLink, () => {
		host.remove(bridge);
		host.add({ name: bridge, up: true });
	});
	made();
	t.like(host.link(port), { master: 3 });
	t.deepEqual(steps.names, [`interface "${port}"`]);
});

test('a bridge that vanishes again and again is given up after ten times', (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { made } = create(host);
	let attempts = 0;
	const vanish = () => {
		attempts++;
		host.remove(bridge);
		host.add({ name: bridge, up: true });
		if (attempts < 20) host.before(RTM.newLink, vanish);
	};
	host.before(RTM.newLink, vanish);
	t.throws(made, { instanceOf: NetlinkError, message: `${creating}: ENODEV` });
	t.is(attempts, 10);
	t.is(host.link(port), undefined);
});

test('a refusal that has nothing to do with the bridge goes on at once', (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { steps, made } = create(host);
	host.refuseNext(RTM.newLink, 'EPERM');
	t.throws(made, { message: `${creating}: EPERM` });
	t.deepEqual(steps.names, []);
});

for (const [alias, owner] of [
	['mesos-overlay dcos c1 eth0', ' ("mesos-overlay dcos c1 eth0")'],
	['', ''],
] as const) {
	test(`an attachment that exists already is not ours to undo; alias "${alias}"`, (t) => {
		const host = fakeHost({ name: bridge, up: true }, { name: port, kind: 'veth', alias });
		const { steps, made } = create(host);
		refuses(
			t,
			made,
			104,
			`attaching "eth0" of container "c1": its host interface "${port}" exists already${owner}; DEL it first`,
		);
		t.deepEqual(steps.names, []);
		t.truthy(host.link(port));
	});
}

test('a port that cannot be finished is undone', async (t) => {
	const host = fakeHost({ name: bridge, up: true });
	const { steps, made } = create(host);
	host.before(RTM.newLink, () => host.refuseNext(RTM.newLink, 'EINVAL'));
	t.throws(made, { message: `changing interface "${port}": EINVAL` });
	t.deepEqual(steps.names, [`interface "${port}"`]);
	await steps.run();
	t.is(host.link(port), undefined);
});

test('a port forwards at once, or some looks later', (t) => {
	const host = fakeHost({ name: bridge }, { name: port, kind: 'veth', master: 2, forwarding: false });
	for (let at = 0; at < 3; at++) host.before(RTM.getLink, () => {});
	host.before(RTM.getLink, () => (host.link(port)!.forwarding = true));
	t.true(awaitForwarding(host.connection, port, performance.now() + 5000).port?.forwarding);
	t.is(host.story.length, 4);
});

test('a port that does not forward before the deadline', (t) => {
	const host = fakeHost({ name: bridge }, { name: port, kind: 'veth', master: 2, forwarding: false });
	const late = () => awaitForwarding(host.connection, port, performance.now() + 20);
	refuses(t, late, 11, `waiting for port "${port}" to forward: it did not before the deadline`);
});

test('a port that goes while it is waited for', (t) => {
	const host = fakeHost({ name: bridge }, { name: port, kind: 'veth', master: 2, forwarding: false });
	host.before(RTM.getLink, () => {});
	host.before(RTM.getLink, () => (host.link(port)!.master = 0));
	const waiting = () => awaitForwarding(host.connection, port, performance.now() + 5000);
	const message = `waiting for port "${port}": it was removed, or left its bridge`;
	refuses(t, waiting, 100, message);
	host.remove(port);
	refuses(t, waiting, 100, message);
});

test('a port is removed once', (t) => {
	const host = fakeHost({ name: port, kind: 'veth' });
	t.true(removePort(host.connection, port));
	t.false(removePort(host.connection, port));
	host.add({ name: port, kind: 'veth' });
	host.before(RTM.delLink, () => host.remove(port));
	t.false(removePort(host.connection, port), 'which the container took along meanwhile');
});
