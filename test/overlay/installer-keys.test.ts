// Keys of the original's config.yaml beside the networks.
import test from 'ava';
import { readConfiguration } from '../../src/overlay/configuration-file.ts';
import { problemsOf, written } from './written.ts';

/** The file with further lines at its top, where those of the installer are. */
const withKeys = (keys: string, change: Parameters<typeof written>[0] = {}) => `${keys}\n${written(change)}`;
const mtuWith = (keys: string, change: Parameters<typeof written>[0] = {}) =>
	readConfiguration(withKeys(keys, change), 'o.yaml', []).vtep.mtu;

test('dcos_overlay_mtu is the MTU, unless vtep_mtu is less', (t) => {
	const vtepMtu = (mtu: number) => ({ vtep_mac_oui: `vtep_mac_oui: 70:B3:D5:00:00:00\n  vtep_mtu: ${mtu}` });
	t.is(mtuWith('dcos_overlay_mtu: 1420'), 1420);
	t.is(mtuWith('dcos_overlay_mtu: "1420"'), 1420);
	t.is(mtuWith('dcos_overlay_mtu: 1420', vtepMtu(1500)), 1420);
	t.is(mtuWith('dcos_overlay_mtu: 1420', vtepMtu(1400)), 1400);
	t.is(mtuWith('ssh_port: 22'), undefined);
});

test('without IPv6, networks that have nothing else are disabled', (t) => {
	const more = '  - { name: dcos6, subnet6: fd01:b::/64, prefix6: 80 }';
	const enabled = (value: string) =>
		readConfiguration(withKeys(`enable_ipv6: ${value}`, { more }), 'o.yaml', []).networks.map(
			(network) => network.enabled ?? true,
		);
	t.deepEqual(enabled('true'), [true, true]);
	t.deepEqual(enabled('"false"'), [true, false]);
	t.deepEqual(enabled('false'), [true, false]);
});

test('what the original has beside the networks, and does not concern them here', (t) => {
	const keys = `dcos_overlay_enable: "true"
dcos_overlay_config_attempts: '4'
dcos_overlay_network_default_name: dcos
dcos_overlay_network6_default_name: dcos6
dcos_cni_data_dir: /var/run/dcos/cni/networks`;
	t.deepEqual(problemsOf(withKeys(keys)), []);
});

for (const [keys, problem] of [
	[
		'dcos_overlay_enable: maybe',
		'1:22: dcos_overlay_enable: "maybe" is not true or false; write dcos_overlay_enable: true',
	],
	[
		'dcos_overlay_enable: "false"',
		'1:22: dcos_overlay_enable: "false" switches off all of the virtual networks; write true, or start no master',
	],
	['enable_ipv6: 1', '1:14: enable_ipv6: 1 is not true or false; write enable_ipv6: true'],
	[
		'dcos_overlay_network_default_name: default_overlay',
		'1:36: dcos_overlay_network_default_name: "default_overlay" is no network of this file; write the name of one: dcos, other',
	],
	[
		'dcos_overlay_mtu: 1420 bytes',
		'1:19: dcos_overlay_mtu: "1420 bytes" is not a whole number; write dcos_overlay_mtu: 1420',
	],
	['dcos_overlay_mtu:', '1:18: dcos_overlay_mtu: null is not a whole number; write dcos_overlay_mtu: 1420'],
	[
		'dcos_overlay_mtu: 551',
		'1:19: dcos_overlay_mtu: 551 is no MTU that works here; write a number from 552 to 65465, or leave it out: agents then compute it',
	],
	[
		'dcos_overlay_mut: 1420',
		'1:1: dcos_overlay_mut: there is no such key; those with this beginning are dcos_overlay_network, dcos_overlay_enable, dcos_overlay_mtu, dcos_overlay_config_attempts, dcos_overlay_network_default_name, dcos_overlay_network6_default_name',
	],
] as const) {
	test(`wrong beside the networks: ${keys}`, (t) => t.deepEqual(problemsOf(withKeys(keys)), [`o.yaml:${problem}`]));
}

test('a network of both families contradicts enable_ipv6: false', (t) => {
	const more = '  - { name: both, subnet: 10.0.0.0/8, prefix: 24, subnet6: fd01:b::/64, prefix6: 80 }';
	t.deepEqual(problemsOf(withKeys('enable_ipv6: false', { more })), [
		'o.yaml:9:62: dcos_overlay_network.overlays[1].subnet6: IPv6 is switched off by enable_ipv6; leave subnet6 and prefix6 out, or write enable_ipv6: true',
	]);
});

test('with IPv6, dcos_overlay_mtu has to be enough for it', (t) => {
	const more = '  - { name: dcos6, subnet6: fd01:b::/64, prefix6: 80 }';
	t.regex(
		problemsOf(withKeys('dcos_overlay_mtu: 1279', { more }))[0] ?? '',
		/^o.yaml:1:19: .* a number from 1280 to /,
	);
});

test('a mistyped name of the whole is found, too', (t) => {
	const problems = problemsOf('dcos_overlay_networks: {}');
	t.deepEqual(
		problems.map((problem) => problem.split(';')[0]),
		[`o.yaml:1:1: dcos_overlay_network: is missing`, 'o.yaml:1:1: dcos_overlay_networks: there is no such key'],
	);
});
