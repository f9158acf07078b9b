import test from 'ava';
import { vlanPortName } from '../../src/bridge/names.ts';
import { ensureVlanGateway, joinVlans, missingVlans } from '../../src/bridge/vlan.ts';
import { findLink } from '../../src/netlink/link.ts';
import { refuses } from '../cni/assertions.ts';
import { readKeys, undoing } from './configurations.ts';
import { fakeHost, type FakeHost, RTM } from './fake-host.ts';

const mac = '02:64:09:00:01:01';
// No device of the machine has this name, since the sysctls of the gateway are looked for in /proc.
const portName = vlanPortName('m-none-such.7');

/** A bridge that filters VLANs, and a port in these of them (true: the native one). */
function hostWithPort(...vlans: [number, boolean][]): FakeHost {
	return fakeHost(
		{ name: 'm-none-such', up: true, vlanFiltering: true },
		{ name: 'veth0', kind: 'veth', master: 2, vlans: new Map(vlans) },
	);
}

const trunk = [{ id: 5 }, { minID: 10, maxID: 12 }];
const joined: readonly [Record<string, unknown>, [number, boolean][], string[]][] = [
	[{}, [[1, true]], []],
	[{ vlan: 7 }, [[7, true]], ['taking port "veth0" out of VLAN 1', 'putting port "veth0" into VLAN 7']],
	[
		{ vlan: 7, preserveDefaultVlan: true },
		[
			[1, true],
			[7, true],
		],
		['putting port "veth0" into VLAN 7'],
	],
	[
		{ vlan: 7, vlanTrunk: trunk },
		[
			[5, false],
			[10, false],
			[11, false],
			[12, false],
			[7, true],
		],
		[
			'taking port "veth0" out of VLAN 1',
			'adding VLAN 5 to port "veth0"',
			'adding VLANs 10 to 12 to port "veth0"',
			'putting port "veth0" into VLAN 7',
		],
	],
	[
		{ vlanTrunk: trunk },
		[
			[1, true],
			[5, false],
			[10, false],
			[11, false],
			[12, false],
		],
		['adding VLAN 5 to port "veth0"', 'adding VLANs 10 to 12 to port "veth0"', 'putting port "veth0" into VLAN 1'],
	],
	[
		// The native VLAN of a trunk that holds it comes last, or it would be tagged.
		{ vlan: 11, vlanTrunk: trunk },
		[
			[5, false],
			[10, false],
			[11, true],
			[12, false],
		],
		[
			'taking port "veth0" out of VLAN 1',
			'adding VLAN 5 to port "veth0"',
			'adding VLANs 10 to 12 to port "veth0"',
			'putting port "veth0" into VLAN 11',
		],
	],
];
for (const [keys, vlans, changes] of joined) {
	test(`the VLANs of a port with ${JSON.stringify(keys)}`, (t) => {
		const host = hostWithPort([1, true]);
		joinVlans(host.connection, 'veth0', readKeys(keys));
		t.deepEqual([...host.link('veth0')!.vlans], vlans);
		t.deepEqual(
			host.story.filter((each) => !/^l(ooking|isting)/.test(each)),
			changes,
		);
		if (changes.length === 0) t.deepEqual(host.story, []);
	});
}

test('what is joined is asked for in one datagram', (t) => {
	const host = hostWithPort([1, true], [2, false]);
	joinVlans(host.connection, 'veth0', readKeys({ vlan: 7, vlanTrunk: trunk }));
	// The port, its VLANs, out of two, into three.
	t.deepEqual(host.kernel.datagrams, [1, 1, 2, 3]);
});

test('a port that is in its VLAN stays there, whatever else it is taken out of', (t) => {
	const host = hostWithPort([1, true], [7, true], [8, false]);
	joinVlans(host.connection, 'veth0', readKeys({ vlan: 7 }));
	t.deepEqual([...host.link('veth0')!.vlans], [[7, true]]);
	t.false(host.story.includes('taking port "veth0" out of VLAN 7'));
});

test('a port that is in its VLAN with a tag', (t) => {
	const host = hostWithPort([1, true], [7, false]);
	joinVlans(host.connection, 'veth0', readKeys({ vlan: 7 }));
	t.deepEqual([...host.link('veth0')!.vlans], [[7, true]]);
});

test('a bridge that gives its ports no VLAN', (t) => {
	const host = hostWithPort();
	joinVlans(host.connection, 'veth0', readKeys({ vlan: 7 }));
	t.deepEqual([...host.link('veth0')!.vlans], [[7, true]]);
});

test('a port that vanished', (t) => {
	refuses(
		t,
		() => joinVlans(fakeHost().connection, 'veth0', readKeys({ vlan: 7 })),
		100,
		'using interface "veth0": it vanished',
	);
});

test("the kernel's refusal names the VLAN", (t) => {
	const host = hostWithPort([1, true]);
	host.refuseNext(RTM.setLink, 'ENOMEM');
	t.throws(() => joinVlans(host.connection, 'veth0', readKeys({ vlan: 7 })), {
		message: 'putting port "veth0" into VLAN 7: ENOMEM',
	});
});

function ensureGateway(
	host: FakeHost,
	keys: Record<string, unknown> = {},
	steps = undoing(),
	isShared: () => boolean = () => false,
) {
	const bridge = findLink(host.connection, 'm-none-such')!;
	host.story.length = 0;
	const configuration = readKeys({ vlan: 7, mtu: 1400, ...keys });
	return ensureVlanGateway(host.connection, bridge, configuration, mac, isShared, steps.undo);
}

test('the gateway of a VLAN is the end of a pair whose other end is a port in that VLAN', (t) => {
	const host = hostWithPort([1, true]);
	const gateway = ensureGateway(host, { vlanTrunk: trunk, preserveDefaultVlan: true });
	t.like(gateway, { name: 'm-none-such.7', kind: 'veth', mac, mtu: 1400, master: 0 });
	t.like(host.link('m-none-such.7'), { up: true, mac });
	t.like(host.link(portName), { up: true, master: 2, mtu: 1400 });
	t.deepEqual([...host.link(portName)!.vlans], [[7, true]], 'of the trunk and the default, nothing');
	t.deepEqual(host.story, [
		`creating veth "${portName}" with peer "m-none-such.7"`,
		`looking up interface "${portName}"`,
		`listing the VLANs of port "${portName}"`,
		`taking port "${portName}" out of VLAN 1`,
		`putting port "${portName}" into VLAN 7`,
		'looking up interface "m-none-such.7"',
		'changing interface "m-none-such.7"',
	]);
});

test('a gateway that is there is used', (t) => {
	const host = hostWithPort([1, true]);
	const { index } = ensureGateway(host);
	t.is(ensureGateway(host).index, index);
	t.is(host.links.length, 4);
	t.like(host.link('m-none-such.7'), { up: true });
});

test('a gateway that is there is not taken out of its VLAN, not even for a moment', (t) => {
	const host = hostWithPort([1, true]);
	ensureGateway(host);
	ensureGateway(host);
	t.deepEqual(
		host.story.filter((each) => each.startsWith('taking')),
		[],
	);
});

test('undoing removes the pair that was made, unless others use it by then, or it is gone', async (t) => {
	const host = hostWithPort([1, true]);
	const steps = undoing();
	let shared = true;
	ensureGateway(host, {}, steps, () => shared);
	t.deepEqual(steps.names, ['gateway interface "m-none-such.7"']);
	await steps.run();
	t.is(host.links.length, 4);
	shared = false;
	await steps.run();
	t.is(host.links.length, 2);
	await t.notThrowsAsync(() => steps.run());
});

test('a gateway that was there is not ours to remove', (t) => {
	const host = hostWithPort([1, true]);
	ensureGateway(host);
	const steps = undoing();
	ensureGateway(host, {}, steps);
	t.deepEqual(steps.names, []);
});

test('one that an ADD made that was killed in the middle is finished', (t) => {
	const host = hostWithPort([1, true]);
	const gateway = host.add({ name: 'm-none-such.7', kind: 'veth', mac });
	host.add({ name: portName, kind: 'veth', up: true, master: 2, peer: gateway.index, vlans: new Map([[1, true]]) });
	ensureGateway(host);
	t.true(host.link('m-none-such.7')?.up);
	t.deepEqual([...host.link(portName)!.vlans], [[7, true]]);
});

test("a device of somebody else's with the name of the gateway", (t) => {
	const host = hostWithPort([1, true]);
	host.add({ name: 'm-none-such.7', kind: 'vlan' });
	refuses(
		t,
		() => ensureGateway(host),
		7,
		'creating the gateway interface "m-none-such.7": a device of that name exists, and is not ours; remove it, or set bridge',
	);
});

test("the kernel's refusal to make the pair goes on", (t) => {
	const host = hostWithPort([1, true]);
	host.refuseNext(RTM.newLink, 'EPERM');
	t.throws(() => ensureGateway(host), { message: `creating veth "${portName}" with peer "m-none-such.7": EPERM` });
});

test('the VLANs of which a port should be a member and is not', (t) => {
	const missing = (keys: Record<string, unknown>, ...vlans: [number, boolean][]) => {
		const { connection } = hostWithPort(...vlans);
		const port = findLink(connection, 'veth0');
		return port && missingVlans(connection, port, readKeys(keys));
	};
	t.deepEqual(missing({}), []);
	t.deepEqual(missing({ vlan: 7 }, [7, true]), []);
	t.deepEqual(missing({ vlan: 7 }, [7, false]), [7]);
	t.deepEqual(missing({ vlan: 7, vlanTrunk: trunk }, [1, true], [5, false], [10, false], [12, false]), [7, 11]);
	t.deepEqual(missing({ vlanTrunk: trunk }, [1, true], [5, false], [10, false], [11, false], [12, false]), []);
	t.deepEqual(missing({ vlanTrunk: trunk }), [1, 5, 10, 11, 12]);
});
