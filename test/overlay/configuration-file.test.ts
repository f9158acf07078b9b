import { readFileSync } from 'node:fs';
import test from 'ava';
import { formatSubnet } from '../../src/ipam/subnet.ts';
import { encodeNetwork, encodeVtep } from '../../src/overlay/configuration.ts';
import { readConfiguration } from '../../src/overlay/configuration-file.ts';
import { subnetOf } from '../../src/overlay/subnet-text.ts';
import { problemsOf, written } from './written.ts';

test('the whole config.yaml of the documentation is accepted as it is', (t) => {
	const text = readFileSync(new URL('config.yaml', import.meta.url), 'utf8');
	const { vtep, networks } = readConfiguration(text, 'config.yaml', []);
	t.deepEqual(encodeVtep(vtep), { vtep_mac_oui: '70:B3:D5:00:00:00', vtep_subnet: '44.128.0.0/20' });
	t.deepEqual(networks.map(encodeNetwork), [
		{ name: 'dcos', prefix: 26, subnet: '9.0.0.0/8' },
		{ name: 'dcos-1', prefix: 24, subnet: '192.168.0.0/16' },
	]);
});

test('the same without the indentation of the page, after a byte order mark, and with the line ends of Windows', (t) => {
	const text = readFileSync(new URL('config.yaml', import.meta.url), 'utf8');
	const expected = readConfiguration(text, 'config.yaml', []);
	const plain = text.replaceAll(/^ {4}/gm, '');
	for (const other of [plain, `\ufeff${plain}`, text.replaceAll('\n', '\r\n')]) {
		t.deepEqual(readConfiguration(other, 'config.yaml', []), expected);
	}
});

test('the later keys are accepted', (t) => {
	const { vtep, networks } = readConfiguration(
		`dcos_overlay_network:
  vtep_subnet: 44.128.0.0/20
  vtep_subnet6: fd01:a::/64
  vtep_mac_oui: 70:b3:d5:00:00:00
  vtep_mtu: 1450
  overlays:
    - { name: dcos, subnet: 9.0.0.0/8, prefix: 24, subnet6: fd01:c::/64, prefix6: 80, enabled: true }
    - { name: dcos6, subnet6: fd01:b::/64, prefix6: 80, enabled: false }
`,
		'o.yaml',
		[],
	);
	t.is(vtep.mtu, 1450);
	t.is(vtep.subnet6 && formatSubnet(vtep.subnet6), 'fd01:a::/64');
	t.deepEqual(
		networks.map(({ enabled }) => enabled),
		[true, false],
	);
	t.is(networks[0]?.ipv6?.prefix, 80);
});

test('nothing is wrong with what the following tests begin with', (t) => t.deepEqual(problemsOf(written({})), []));

const wrong = test.macro<[change: Parameters<typeof written>[0], ...problems: string[]]>({
	exec(t, change, ...problems) {
		t.deepEqual(
			problemsOf(written(change)),
			problems.map((problem) => `o.yaml:${problem}`),
		);
	},
	title: (_, change) => `wrong: ${JSON.stringify(change)}`,
});

const key = 'dcos_overlay_network';
const aPrefix = "write the prefix length of an agent's subnet, from 8 to 29";
test(wrong, { vtep_subnet: '' }, `2:3: ${key}.vtep_subnet: is missing; write vtep_subnet: 44.128.0.0/20`);
test(
	wrong,
	{ vtep_subnet: 'vtep_subnet: fd01::/64' },
	`2:16: ${key}.vtep_subnet: "fd01::/64" is an IPv6 subnet; write it as "9.0.0.0/8"`,
);
test(
	wrong,
	{ vtep_subnet: 'vtep_subnet: 44.0.0.0/7' },
	`2:16: ${key}.vtep_subnet: "44.0.0.0/7" is too large: the MAC addresses of VTEPs have 24 bits of their own; write a /8 or a smaller one`,
);
test(
	wrong,
	{ vtep_subnet: 'vtep_subnet: 44.0.0.0/31' },
	`2:16: ${key}.vtep_subnet: "44.0.0.0/31" has no address for two agents; write a /30 or a larger one`,
);
test(
	wrong,
	{ vtep_subnet: 'vtep_subnet: 9.1.0.0/20' },
	`6:15: ${key}.overlays[0].subnet: "9.0.0.0/8" overlaps 9.1.0.0/20 of the VTEPs; write a subnet that nothing else uses`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 71:B3:D5:00:00:00' },
	`3:17: ${key}.vtep_mac_oui: "71:B3:D5:00:00:00" is for groups, its first byte is odd; make its first byte even`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:01' },
	`3:17: ${key}.vtep_mac_oui: the last three bytes of "70:B3:D5:00:00:01" are not zero; write three bytes and three zeros, such as "70:B3:D5:00:00:00"`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70-B3-D5' },
	`3:17: ${key}.vtep_mac_oui: "70-B3-D5" is no MAC address; write three bytes and three zeros, such as "70:B3:D5:00:00:00"`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00\n  vtep_mtu: 551' },
	`4:13: ${key}.vtep_mtu: 551 is no MTU that works here; write a number from 552 to 65465, or leave it out: agents then compute it`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00\n  vtep_subnet6: fd01:a::/127' },
	`4:17: ${key}.vtep_subnet6: "fd01:a::/127" has no address for two agents; write a /126 or a larger one`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00\n  vtep_mtu: 1279\n  vtep_subnet6: fd01:a::/64' },
	`4:13: ${key}.vtep_mtu: 1279 is no MTU that works here; write a number from 1280 to 65465, or leave it out: agents then compute it`,
);
test(
	wrong,
	{ overlays: 'overlay:' },
	`2:3: ${key}.overlays: is missing; write overlays: [{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }]`,
	`4:3: ${key}.overlay: there is no such key; the keys here are vtep_subnet, vtep_subnet6, vtep_mac_oui, vtep_mtu, overlays`,
);
test(
	wrong,
	{ overlays: 'overlays: []', name: '', subnet: '', prefix: '', more: '' },
	`4:13: ${key}.overlays: is empty; write overlays: [{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }]`,
);
test(
	wrong,
	{ name: '  - name: fourteen-chars' },
	`5:13: ${key}.overlays[0].name: "fourteen-chars" has 14 characters; it becomes part of a device's name: 13 at most`,
);
test(
	wrong,
	{ name: '  - name: ../etc' },
	`5:13: ${key}.overlays[0].name: "../etc" cannot be a name; write letters, digits, ".", "_" and "-", and a letter or digit first`,
);
for (const reserved of ['host', 'bridge', 'default', 'none']) {
	test(
		wrong,
		{ name: `  - name: ${reserved}` },
		`5:13: ${key}.overlays[0].name: "${reserved}" is reserved; choose another name than host, bridge, default, none`,
	);
}
test(
	wrong,
	{ name: '  - name: other' },
	`8:15: ${key}.overlays[1].name: "other" is the name of another network; choose another`,
);
test(wrong, { name: '  - name: 5' }, `5:13: ${key}.overlays[0].name: 5 is not a text; write name: dcos`);
test(
	wrong,
	{ subnet: '    subnet: 9.0.0.0' },
	`6:15: ${key}.overlays[0].subnet: "9.0.0.0" is no IPv4 subnet; write it as "9.0.0.0/8"`,
);
test(
	wrong,
	{ subnet: '    subnet: 9.0.0.1/8' },
	`6:15: ${key}.overlays[0].subnet: "9.0.0.1/8" has bits set behind its prefix; write "9.0.0.0/8"`,
);
test(
	wrong,
	{ subnet: '    subnet: 224.0.0.0/8' },
	`6:15: ${key}.overlays[0].subnet: "224.0.0.0/8" has addresses of 224.0.0.0/4, which is for multicast; use private addresses, such as 10.0.0.0/8`,
);
test(wrong, { subnet: '    subnet:' }, `6:14: ${key}.overlays[0].subnet: has no value; write subnet: 9.0.0.0/8`);
test(
	wrong,
	{ subnet: '    subnet: 10.1.0.0/16', prefix: '    prefix: 24' },
	`8:30: ${key}.overlays[1].subnet: "10.0.0.0/8" overlaps 10.1.0.0/16 of the network "dcos"; write a subnet that nothing else uses`,
);
test(
	wrong,
	{ subnet: '    subnet: 9.0.0.0/30' },
	`6:15: ${key}.overlays[0].subnet: "9.0.0.0/30" is too small to be divided; write a /29 or a larger one`,
);
test(
	wrong,
	{ subnet: '    subnet6: ff02::/64', prefix: '    prefix6: 80' },
	`6:16: ${key}.overlays[0].subnet6: "ff02::/64" has addresses of ff00::/8, which is for multicast; use private addresses, such as fd00::/8`,
);
test(
	wrong,
	{ subnet: '    subnet_6: fd01:b::/64', prefix: '    prefix_6: 80' },
	`5:7: ${key}.overlays[0]: has neither subnet nor subnet6; write subnet and prefix`,
	`6:7: ${key}.overlays[0].subnet_6: there is no such key; the keys here are name, subnet, prefix, subnet6, prefix6, enabled`,
	`7:7: ${key}.overlays[0].prefix_6: there is no such key; the keys here are name, subnet, prefix, subnet6, prefix6, enabled`,
);
test(
	wrong,
	{ subnet: '    Subnet: 9.0.0.0/8' },
	`5:7: ${key}.overlays[0]: has neither subnet nor subnet6; write subnet and prefix`,
	`6:7: ${key}.overlays[0].Subnet: there is no such key; the keys here are name, subnet, prefix, subnet6, prefix6, enabled`,
	`7:15: ${key}.overlays[0].prefix: there is no subnet to divide; write subnet, too, or leave prefix out`,
);
const aPrefix6 = "write the prefix length of an agent's subnet, from 64 to 125";
test(
	wrong,
	{ subnet: '    subnet6: fd01:b::/64', prefix: '    prefix6: 63' },
	`7:16: ${key}.overlays[0].prefix6: 63 is larger than the whole "fd01:b::/64"; ${aPrefix6}`,
);
test(
	wrong,
	{ subnet: '    subnet6: fd01:b::/64', prefix: '    prefix6: 126' },
	`7:16: ${key}.overlays[0].prefix6: 126 leaves a half without room for a container; ${aPrefix6}`,
);
test(
	wrong,
	{ subnet: '    subnet6: fd01:b::/126', prefix: '    prefix6: 126' },
	`6:16: ${key}.overlays[0].subnet6: "fd01:b::/126" is too small to be divided; write a /125 or a larger one`,
);
test(
	wrong,
	{ subnet: '    subnet6: fd01:b::1/64', prefix: '    prefix6: 80' },
	`6:16: ${key}.overlays[0].subnet6: "fd01:b::1/64" has bits set behind its prefix; write "fd01:b::/64"`,
);
test(
	wrong,
	{ subnet: '    subnet: fd01:b::/64' },
	`6:15: ${key}.overlays[0].subnet: "fd01:b::/64" is an IPv6 subnet; write it as "9.0.0.0/8"`,
);
test(
	wrong,
	{ subnet: '    subnet6: 9.0.0.0/8', prefix: '    prefix6: 80' },
	`6:16: ${key}.overlays[0].subnet6: "9.0.0.0/8" is an IPv4 subnet; write it as "fd01:b::/64"`,
);
test(
	wrong,
	{
		vtep_subnet: 'vtep_subnet: 44.128.0.0/20\n  vtep_subnet6: fd01:b::/96',
		subnet: '    subnet6: fd01:b::/64',
		prefix: '    prefix6: 80',
	},
	`7:16: ${key}.overlays[0].subnet6: "fd01:b::/64" overlaps fd01:b::/96 of the VTEPs; write a subnet that nothing else uses`,
);
test(wrong, { vtep_mac_oui: '' }, `2:3: ${key}.vtep_mac_oui: is missing; write vtep_mac_oui: 70:B3:D5:00:00:00`);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70' },
	`3:17: ${key}.vtep_mac_oui: 70 is not a text; write vtep_mac_oui: 70:B3:D5:00:00:00`,
);
test(
	wrong,
	{ vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00\n  vtep_mtu: 65466' },
	`4:13: ${key}.vtep_mtu: 65466 is no MTU that works here; write a number from 552 to 65465, or leave it out: agents then compute it`,
);
test(wrong, { name: '  -' }, `6:7: ${key}.overlays[0].name: is missing; write name: dcos`);
for (const name of ['über', '-dcos', '.', 'a b', 'a/b', 'a;reboot', '"a\\nb"']) {
	const text = name.startsWith('"') ? 'a\nb' : name;
	test(
		wrong,
		{ name: `  - name: ${name}` },
		`5:13: ${key}.overlays[0].name: "${text}" cannot be a name; write letters, digits, ".", "_" and "-", and a letter or digit first`,
	);
}
test(wrong, { prefix: '' }, `5:7: ${key}.overlays[0].prefix: is missing; ${aPrefix}`);
test(
	wrong,
	{ prefix: '    prefix: 7' },
	`7:15: ${key}.overlays[0].prefix: 7 is larger than the whole "9.0.0.0/8"; ${aPrefix}`,
);
test(
	wrong,
	{ prefix: '    prefix: 30' },
	`7:15: ${key}.overlays[0].prefix: 30 leaves a half without room for a container; ${aPrefix}`,
);
test(
	wrong,
	{ prefix: '    prefix: 26.5' },
	`7:15: ${key}.overlays[0].prefix: 26.5 is not a whole number; write prefix: 26`,
);
test(
	wrong,
	{ prefix: '    prefix: "26"' },
	`7:15: ${key}.overlays[0].prefix: "26" is not a whole number; write prefix: 26`,
);
test(
	wrong,
	{ prefix: '    prefix: 26\n      prefix6: 80' },
	`8:16: ${key}.overlays[0].prefix6: there is no subnet6 to divide; write subnet6, too, or leave prefix6 out`,
);
test(
	wrong,
	{ prefix: '    prefix: 26\n      enabled: yes' },
	`8:16: ${key}.overlays[0].enabled: "yes" is not true or false; write enabled: false`,
);
test(
	wrong,
	{ more: '  - { name: other }' },
	`8:7: ${key}.overlays[1]: has neither subnet nor subnet6; write subnet and prefix`,
);
test(
	wrong,
	{ more: '  - 7' },
	`8:7: ${key}.overlays[1]: 7 is not a network; write { name: dcos, subnet: 9.0.0.0/8, prefix: 26 }`,
);

test('everything that is wrong is told at once, in the order of the file', (t) => {
	const problems = problemsOf(written({ name: '  - name: none', prefix: '    prefix: x', more: '  - {}' }));
	t.deepEqual(
		problems.map((problem) => problem.split(' ').slice(0, 2).join(' ')),
		[
			`o.yaml:5:13: ${key}.overlays[0].name:`,
			`o.yaml:7:15: ${key}.overlays[0].prefix:`,
			`o.yaml:8:7: ${key}.overlays[1].name:`,
			`o.yaml:8:7: ${key}.overlays[1]:`,
		],
	);
});

test('overlaps with networks that are in use', (t) => {
	const used = [{ subnet: subnetOf('9.8.0.0/24'), user: 'eth0 of this host' }];
	t.deepEqual(problemsOf(written({}), used), [
		`o.yaml:6:15: ${key}.overlays[0].subnet: "9.0.0.0/8" overlaps 9.8.0.0/24 of eth0 of this host; write a subnet that nothing else uses`,
	]);
});

test('a mistake behind an alias is told where the alias is, too', (t) => {
	const text = written({ prefix: '    prefix: &p 30', more: '  - { name: other, subnet: 10.0.0.0/8, prefix: *p }' });
	t.deepEqual(
		problemsOf(text).map((problem) => problem.split(': ')[0]),
		['o.yaml:7:18', 'o.yaml:8:50'],
	);
});

for (const [text, problem] of [
	['', `o.yaml:1:1: ${key}: is missing`],
	['[]', `o.yaml:1:1: ${key}: is missing`],
	['dcos_overlay_network:', `o.yaml:1:22: ${key}: has no value`],
	['dcos_overlay_network: 7', `o.yaml:1:23: ${key}: 7 is not an object`],
	['a: [', 'o.yaml:1:5: Flow sequence'],
	['a: 1\na: 2', 'o.yaml:2:1: Map keys must be unique'],
	['a: *x', 'o.yaml: Unresolved alias'],
] as const) {
	test(`not a configuration: ${JSON.stringify(text)}`, (t) => {
		const problems = problemsOf(text);
		t.is(problems.length, 1);
		t.true(problems[0]?.startsWith(problem), problems[0]);
	});
}

test('aliases that multiply are refused', (t) => {
	const levels = Array.from({ length: 12 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(9)}]`);
	t.regex(problemsOf(`l0: &l0 [x]\n${levels.join('\n')}\n`)[0] ?? '', /Excessive alias count/);
});
