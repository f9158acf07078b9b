import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'ava';
import { type BridgeConfiguration, bridgeNameOf, isDeviceName } from '../../src/bridge/configuration.ts';
import { refuses } from '../cni/assertions.ts';
import { configurationOf, minimal } from '../cni/requests.ts';
import { readNatConfiguration } from '../../src/nat/configuration.ts';
import { readKeys } from './configurations.ts';

const defaults: BridgeConfiguration = {
	network: 'dcos',
	bridge: 'm-dcos',
	mtu: 1420,
	isGateway: true,
	isDefaultGateway: false,
	forceAddress: false,
	hairpinMode: true,
	promiscMode: false,
	portIsolation: false,
	enabledad: false,
	disableContainerInterface: false,
	vlan: 0,
	vlanTrunk: [],
	preserveDefaultVlan: false,
	mac: undefined,
	bandwidth: undefined,
	nat: readNatConfiguration(configurationOf(minimal)),
};

test('the defaults', (t) => t.deepEqual(readKeys({}), defaults));

const meanings: readonly [Record<string, unknown>, Partial<BridgeConfiguration>][] = [
	[{ bridge: 'cni0' }, { bridge: 'cni0' }],
	[{ bridge: '' }, { bridge: 'm-dcos' }],
	[{ bridge: 'fifteen-letters' }, { bridge: 'fifteen-letters' }],
	[{ name: 'thirteen-char' }, { network: 'thirteen-char', bridge: 'm-thirteen-char' }],
	[{ mtu: 0 }, { mtu: 1420 }],
	[{ mtu: 68 }, { mtu: 68 }],
	[{ mtu: 65535 }, { mtu: 65535 }],
	[{ MTU: 1400 }, { mtu: 1400 }],
	[{ isGateway: false }, { isGateway: false }],
	[{ isDefaultGateway: true }, { isDefaultGateway: true, isGateway: true }],
	[
		{ isGateway: false, isDefaultGateway: true },
		{ isDefaultGateway: true, isGateway: true },
	],
	[{ isGW: true }, {}],
	[{ forceAddress: true }, { forceAddress: true }],
	[{ hairpinMode: false }, { hairpinMode: false }],
	[{ promiscMode: true }, { promiscMode: true, hairpinMode: false }],
	[
		{ promiscMode: true, hairpinMode: false },
		{ promiscMode: true, hairpinMode: false },
	],
	[{ promiscMode: false, hairpinMode: true }, {}],
	[{ portIsolation: true }, { portIsolation: true }],
	[{ ipMasq: true }, { nat: { ...defaults.nat, ipMasq: true } }],
	[{ enabledad: true }, { enabledad: true }],
	[{ disableContainerInterface: true }, { disableContainerInterface: true }],
	[{ disableContainerInterface: false, ipam: { type: 'static' } }, {}],
	[{ vlan: 0 }, {}],
	[{ vlan: 1 }, { vlan: 1 }],
	[{ vlan: 4094 }, { vlan: 4094 }],
	[{ vlanTrunk: [] }, {}],
	[
		{ vlanTrunk: [{ id: 5 }, { minID: 10, maxID: 20 }, { id: 7, minID: 30, maxID: 30 }] },
		{
			vlanTrunk: [
				{ first: 5, last: 5 },
				{ first: 10, last: 20 },
				{ first: 7, last: 7 },
				{ first: 30, last: 30 },
			],
		},
	],
	[{ vlanTrunk: [{}] }, {}],
	[{ preserveDefaultVlan: true }, { preserveDefaultVlan: true }],
	[{ mac: '' }, {}],
	[{ mac: '02-64-09-0A-0b-ff' }, { mac: '02:64:09:0a:0b:ff' }],
	[{ ipMasq: false }, {}],
	[
		Object.fromEntries(
			Object.keys(defaults)
				.map((key) => [key, null])
				.filter(([key]) => key !== 'network'),
		),
		{},
	],
];
for (const [keys, expected] of meanings) {
	test(`what ${JSON.stringify(keys)} means`, (t) => {
		t.deepEqual(readKeys(keys), { ...defaults, ...expected });
	});
}

const booleans = [
	'isGateway',
	'isDefaultGateway',
	'forceAddress',
	'hairpinMode',
	'promiscMode',
	'portIsolation',
	'macspoofchk',
	'enabledad',
	'disableContainerInterface',
	'preserveDefaultVlan',
	'ipMasq',
];
for (const key of booleans) {
	test(`${key} is true or false`, (t) => {
		for (const [value, text] of [
			['true', '"true"'],
			[1, '1'],
			[{}, 'an object'],
			[[], 'a list'],
		] as const) {
			refuses(t, () => readKeys({ [key]: value }), 7, `reading ${key}: expected true or false, got ${text}`);
		}
	});
}

const deviceRule = 'a device name has at most 15 bytes, no "/", ":", "%" or white space';
const wrong: readonly [Record<string, unknown>, string][] = [
	[{ bridge: 'sixteen-letters!' }, `reading bridge: ${deviceRule}, got "sixteen-letters!"`],
	[{ bridge: 'üüüüüüüü' }, `reading bridge: ${deviceRule}, got "üüüüüüüü"`],
	[{ bridge: 'a/b' }, `reading bridge: ${deviceRule}, got "a/b"`],
	[{ bridge: 'a:b' }, `reading bridge: ${deviceRule}, got "a:b"`],
	[{ bridge: 'a b' }, `reading bridge: ${deviceRule}, got "a b"`],
	[{ bridge: 'br%d' }, `reading bridge: ${deviceRule}, got "br%d"`],
	[{ bridge: '..' }, `reading bridge: ${deviceRule}, got ".."`],
	[{ bridge: 7 }, 'reading bridge: expected a string, got 7'],
	[
		{ name: 'fourteen-chars' },
		`naming the bridge of network "fourteen-chars": ${deviceRule}, got "m-fourteen-chars"; set bridge, or give the network a name of at most 13`,
	],
	[{ mtu: 67 }, 'reading mtu: expected a whole number from 68 to 65535, or 0 for the default, got 67'],
	[{ mtu: 65536 }, 'reading mtu: expected a whole number from 68 to 65535, or 0 for the default, got 65536'],
	[{ mtu: -1 }, 'reading mtu: expected a whole number from 68 to 65535, or 0 for the default, got -1'],
	[{ mtu: 1400.5 }, 'reading mtu: expected a whole number from 68 to 65535, or 0 for the default, got 1400.5'],
	[{ mtu: '1400' }, 'reading mtu: expected a whole number from 68 to 65535, or 0 for the default, got "1400"'],
	[
		{ promiscMode: true, hairpinMode: true },
		'reading promiscMode: true excludes hairpinMode true, since packets would come back twice; leave one out',
	],
	[
		{ disableContainerInterface: true, ipam: { type: 'static' } },
		'reading disableContainerInterface: true excludes ipam, since an interface that is down has no use for addresses',
	],
	[{ vlan: 4095 }, 'reading vlan: expected a whole number from 0 to 4094, got 4095'],
	[{ vlan: -1 }, 'reading vlan: expected a whole number from 0 to 4094, got -1'],
	[{ vlan: '7' }, 'reading vlan: expected a whole number from 0 to 4094, got "7"'],
	[{ vlanTrunk: {} }, 'reading vlanTrunk: expected a list, got an object'],
	[{ vlanTrunk: [7] }, 'reading vlanTrunk[0]: expected an object, got 7'],
	[{ vlanTrunk: [{}, { id: 0 }] }, 'reading vlanTrunk[1].id: expected a whole number from 1 to 4094, got 0'],
	[{ vlanTrunk: [{ minID: 10 }] }, 'reading vlanTrunk[0].maxID: minID and maxID come together'],
	[{ vlanTrunk: [{ maxID: 10 }] }, 'reading vlanTrunk[0].minID: minID and maxID come together'],
	[{ vlanTrunk: [{ minID: 10, maxID: 9 }] }, 'reading vlanTrunk[0].maxID: expected 10 or more, got 9'],
	[
		{ vlanTrunk: [{ minID: 1, maxID: 4095 }] },
		'reading vlanTrunk[0].maxID: expected a whole number from 1 to 4094, got 4095',
	],
	[{ mac: 7 }, 'reading mac: expected a string, got 7'],
];
for (const [keys, message] of wrong) {
	test(`what ${JSON.stringify(keys)} prints`, (t) => refuses(t, () => readKeys(keys), 7, message));
}

for (const mac of [
	'02:64:09:00:01',
	'02:64:09:00:01:02:03',
	'02:64:09:00:01:0g',
	'01:00:5e:00:00:01',
	'ff:ff:ff:ff:ff:ff',
	'00:00:00:00:00:00',
	'0264.0900.0102',
	'x',
]) {
	test(`${mac} is no MAC for a container, wherever it is said`, (t) => {
		const expected = `expected a unicast MAC address such as 02:64:09:00:01:02, got "${mac}"`;
		refuses(t, () => readKeys({ mac }), 7, `reading mac: ${expected}`);
		refuses(t, () => readKeys({ args: { cni: { mac } } }), 7, `reading args.cni.mac: ${expected}`);
		refuses(t, () => readKeys({ runtimeConfig: { mac } }), 7, `reading runtimeConfig.mac: ${expected}`);
		refuses(
			t,
			() => readKeys({}, { cniArguments: new Map([['MAC', mac]]) }),
			4,
			`reading MAC in CNI_ARGS: ${expected}`,
		);
	});
}

test('of four places that say the MAC, the strongest counts', (t) => {
	const [a, b, c, d] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c', '02:00:00:00:00:0d'];
	const fromArguments = { cniArguments: new Map([['MAC', b]]) };
	t.is(readKeys({ mac: a }).mac, a);
	t.is(readKeys({ mac: a }, fromArguments).mac, b);
	t.is(readKeys({ mac: a, args: { cni: { mac: c } } }, fromArguments).mac, c);
	t.is(readKeys({ mac: a, args: { cni: { mac: c } }, runtimeConfig: { mac: d } }, fromArguments).mac, d);
	t.is(
		readKeys(
			{ mac: a, args: { cni: { mac: '' } }, runtimeConfig: { mac: null } },
			{ cniArguments: new Map([['MAC', '']]) },
		).mac,
		a,
	);
	refuses(t, () => readKeys({ mac: a, runtimeConfig: { mac: 'x' } }), 7, 'reading runtimeConfig.mac');
});

test('names of devices', (t) => {
	const names = {
		eth0: true,
		'm-dcos.7': true,
		'.': false,
		'..': false,
		'...': true,
		'a\tb': false,
		'a b': false,
		sixteencharacter: false,
	};
	for (const [name, valid] of Object.entries(names)) t.is(isDeviceName(name), valid, name);
});

test('a DEL learns the name of the bridge from whatever configuration', (t) => {
	t.is(bridgeNameOf(configurationOf({ ...minimal, bridge: 7, mtu: 'x' }, 'DEL')), 'm-dcos');
	t.is(bridgeNameOf(configurationOf({ ...minimal, bridge: 'cni0' }, 'DEL')), 'cni0');
});

test('the MTU is that of the agent file, when the subnet comes from there, too', (t) => {
	const directory = mkdtempSync(`${tmpdir()}/agent-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	const agentFile = `${directory}/agent.json`;
	writeFileSync(agentFile, JSON.stringify({ networks: { dcos: { subnet: '9.0.1.0/26', mtu: 1370 }, other: {} } }));
	const mtu = (ipam: Record<string, unknown>, keys: Record<string, unknown> = {}) =>
		readKeys({ ipam: { type: 'mesos-overlay-ipam', agentFile, ...ipam }, ...keys }).mtu;
	t.is(mtu({}), 1370);
	t.is(mtu({}, { mtu: 0 }), 1370);
	t.is(mtu({}, { mtu: 1400 }), 1400);
	t.is(mtu({ agentSubnet: '9.0.1.0/26' }), 1420);
	t.is(mtu({ agentSubnet6: 'fd00::/64' }), 1420);
	t.is(mtu({ type: 'static' }), 1420);
	t.is(mtu({}, { name: 'other' }), 1420);
	t.is(mtu({}, { name: 'unknown' }), 1420);
	t.is(mtu({ agentFile: `${directory}/none.json` }), 1420);
});

test('a bridge whose name leaves no room for the gateway of its VLAN, if there is to be one', (t) => {
	const ipam = { type: 'mesos-overlay-ipam', agentSubnet: '9.0.1.0/26' };
	refuses(
		t,
		() => readKeys({ bridge: 'm-twelve-let', vlan: 4094, ipam }),
		7,
		'naming the gateway interface "m-twelve-let.4094": a device name has at most 15 bytes; choose a shorter bridge',
	);
	for (const keys of [{ vlan: 42, ipam }, { vlan: 4094 }, { vlan: 4094, ipam, isGateway: false }, { ipam }]) {
		t.is(readKeys({ bridge: 'm-twelve-let', ...keys }).vlan, keys.vlan ?? 0);
	}
});
