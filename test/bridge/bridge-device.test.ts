import test from 'ava';
import { ensureBridge, findBridge } from '../../src/bridge/bridge-device.ts';
import { ensureVlanGateway } from '../../src/bridge/vlan.ts';
import { refuses } from '../cni/assertions.ts';
import { readKeys, undoing } from './configurations.ts';
import { fakeHost, type FakeHost, RTM } from './fake-host.ts';

// A name that no device of the machine has, since the sysctls of the bridge are looked for in /proc.
const name = 'm-none-such';
const mac = '02:64:09:00:01:01';

function ensure(host: FakeHost, keys: Record<string, unknown> = {}) {
	const steps = undoing();
	const existing = findBridge(host.connection, name);
	host.story.length = 0;
	return {
		bridge: ensureBridge(host.connection, readKeys({ bridge: name, ...keys }), mac, existing, steps.undo),
		steps,
	};
}

test('a bridge that is not there is made with its MAC and MTU, and brought up', (t) => {
	const host = fakeHost();
	const { bridge, steps } = ensure(host, { mtu: 1400 });
	t.like(bridge, { name, kind: 'bridge', mac, mtu: 1400 });
	t.like(host.link(name), { up: true, promiscuous: false, vlanFiltering: false });
	t.deepEqual(host.story, [
		`creating bridge "${name}"`,
		`looking up interface "${name}"`,
		`changing interface "${name}"`,
	]);
	t.deepEqual(steps.names, [`bridge "${name}"`]);
});

test('a bridge that is as it should be is not touched', (t) => {
	const host = fakeHost({ name, up: true });
	const { steps } = ensure(host);
	t.deepEqual(host.story, []);
	t.deepEqual(steps.names, []);
});

test('a bridge that another ADD makes at the same time is used, and is not ours to remove', (t) => {
	const host = fakeHost();
	host.before(RTM.newLink, () => void host.add({ name, mtu: 1400 }));
	const { bridge, steps } = ensure(host);
	t.is(bridge.mtu, 1400);
	t.true(host.link(name)?.up);
	t.deepEqual(steps.names, []);
});

test('a bridge that is removed right after it was made is made again', (t) => {
	const host = fakeHost();
	host.before(RTM.newLink, () => host.before(RTM.getLink, () => host.remove(name)));
	ensure(host);
	t.like(host.link(name), { up: true });
	t.is(host.story.filter((each) => each.startsWith('creating')).length, 2);
});

test('a bridge that is removed again and again is given up', (t) => {
	const host = fakeHost();
	for (let at = 0; at < 30; at++) host.before(RTM.getLink, () => host.remove(name));
	refuses(t, () => ensure(host), 100, `making bridge "${name}": it was removed 10 times, by somebody else`);
});

test('a bridge that is down is brought up; its MAC is given to it anew, so that it stays', (t) => {
	const host = fakeHost({ name, mac: '02:64:09:00:01:09' });
	ensure(host);
	t.like(host.link(name), { up: true, mac: '02:64:09:00:01:09' });
});

test("a bridge with a MAC of the kernel's choice keeps it for good", (t) => {
	const host = fakeHost({ name, up: true, mac: '26:95:7c:cd:27:15' });
	ensure(host);
	t.deepEqual(host.story, [`changing interface "${name}"`]);
	t.is(host.link(name)?.mac, '26:95:7c:cd:27:15');
	t.true(host.kernel.requests.at(-1)?.payload.includes(Buffer.from('0a00010026957ccd2715', 'hex')));
});

test('promiscuous mode is turned on where it is wanted, and never off', (t) => {
	const host = fakeHost({ name, up: true });
	ensure(host, { promiscMode: true });
	t.true(host.link(name)?.promiscuous);
	ensure(host, { promiscMode: true });
	t.deepEqual(host.story, []);
	ensure(host, { promiscMode: false });
	t.true(host.link(name)?.promiscuous);
});

for (const keys of [{ vlan: 7 }, { vlanTrunk: [{ id: 5 }] }]) {
	test(`${JSON.stringify(keys)} turns VLAN filtering on, once`, (t) => {
		const host = fakeHost({ name, up: true });
		ensure(host, keys);
		t.true(host.link(name)?.vlanFiltering);
		t.deepEqual(host.story, ['looking up interface 2', `changing interface "${name}"`]);
		ensure(host, keys);
		t.deepEqual(host.story, ['looking up interface 2']);
	});
}

test('a kernel without VLAN filtering is told by an error with a remedy', (t) => {
	const host = fakeHost({ name, up: true });
	host.refuseNext(RTM.newLink, 'EOPNOTSUPP');
	refuses(
		t,
		() => ensure(host, { vlan: 7 }),
		100,
		`turning on VLAN filtering of bridge "${name}": this kernel has none (CONFIG_BRIDGE_VLAN_FILTERING); leave vlan and vlanTrunk out`,
	);
	host.refuseNext(RTM.newLink, 'EPERM');
	t.throws(() => ensure(host, { vlan: 7 }), { message: `changing interface "${name}": EPERM` });
});

for (const [kind, text] of [
	['veth', 'of kind veth'],
	['', 'no bridge'],
] as const) {
	test(`a device of the name that is ${text}`, (t) => {
		const host = fakeHost({ name, kind });
		const message = `using bridge "${name}": a device of that name exists and is ${text}; rename it, or set bridge`;
		refuses(t, () => findBridge(host.connection, name), 7, message);
		refuses(
			t,
			() => ensureBridge(host.connection, readKeys({ bridge: name }), mac, undefined, undoing().undo),
			7,
			message,
		);
	});
}

test("the kernel's refusal to make a bridge goes on", (t) => {
	const host = fakeHost();
	host.refuseNext(RTM.newLink, 'EPERM');
	t.throws(() => ensure(host), { message: `creating bridge "${name}": EPERM` });
});

test('undoing removes the gateway in the VLAN with the bridge, unless there are other ports', async (t) => {
	const host = fakeHost();
	const { bridge, steps } = ensure(host, { vlan: 7 });
	ensureVlanGateway(host.connection, bridge, readKeys({ bridge: name, vlan: 7 }), mac, () => false, undoing().undo);
	const port = host.add({ name: 'veth0', kind: 'veth', master: bridge.index });
	await steps.run();
	t.is(host.links.length, 4);
	host.remove(port.name);
	await steps.run();
	t.deepEqual(host.links, []);
});

test('undoing removes the bridge, unless it has ports by then, or is gone', async (t) => {
	const host = fakeHost();
	const { steps } = ensure(host);
	const port = host.add({ name: 'veth0', kind: 'veth', master: host.link(name)!.index });
	await steps.run();
	t.truthy(host.link(name));
	host.remove(port.name);
	await steps.run();
	t.is(host.link(name), undefined);
	await t.notThrowsAsync(() => steps.run());
});
