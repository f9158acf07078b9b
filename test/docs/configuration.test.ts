// docs/configuration.md says what the program does: its examples and tables are tried out, one by one.
import { globSync, readFileSync } from 'node:fs';
import test from 'ava';
import { fieldsOf } from '../../src/cni/fields.ts';
import { rangeOfHalf } from '../../src/ipam/agent-subnet.ts';
import { type OnLinkGateways, readOnLinkGateways } from '../../src/ipam/routed.ts';
import { readSubnet } from '../../src/ipam/subnet.ts';
import { resultOf } from '../helpers/assertions.ts';
import type { Result } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { asDocumented, type Change, changeOf, documentedCall } from './documented-call.ts';
import { codeBlocks, codeSpans, projectDirectory, readPage, tableRows } from './markdown.ts';

const page = readPage('docs/configuration.md');
const examples = codeBlocks(page, 'json').map((text) => JSON.parse(text) as Record<string, unknown>);

const wrong: Readonly<Record<string, (spans: readonly string[]) => Change>> = {
	'Wrong value': changeOf,
	'Wrong agent.json': ([agentFile]) =>
		agentFile === undefined ? { members: { ipam: { agentSubnet: null } } } : { agentFile },
	'Wrong stdin': ([input = '']) => ({ input }),
};

for (const [heading, read] of Object.entries(wrong)) {
	const rows = tableRows(page, heading);
	test(`${heading}: there are rows`, (t) => t.true(rows.length > 0));
	for (const [cell = '', code, printed] of rows) {
		test(`${heading} ${cell}`, (t) => {
			const host = createHost(t);
			const container = host.container();
			const { status, json, stdout } = documentedCall(host, container, read(codeSpans(cell)));
			const [message, details] = codeSpans(printed);
			t.is(asDocumented(json?.msg ?? stdout, host, container), message ?? '');
			if (details !== undefined) t.is(json?.details, details);
			t.is(String(json?.code), code ?? '');
			t.is(status, 1);
			t.is(host.links().length, 1);
			t.deepEqual(host.snapshot().leases, {});
		});
	}
}

test('every key that the program reads is on the page', (t) => {
	const read =
		/\b(?:read(?:String|Strings|Boolean|Integer|Fields|FieldsList|List|Path|Address|Cidr|Routes)|entries\.(?:get|has))\(\s*(?:\w+,\s*)?'([^']+)'/g;
	const keys = globSync(
		['cni', 'bridge', 'ipam', 'nat', 'shaping'].map((directory) => `src/${directory}/*.ts`),
		{ cwd: projectDirectory },
	)
		.filter((file) => !/\/(?:lease|result\S*)\.ts$/.test(file))
		.flatMap((file) =>
			Array.from(readFileSync(`${projectDirectory}/${file}`, 'utf8').matchAll(read), ([, key = '']) => key),
		);
	t.true(keys.length > 50);
	const text = page.toLowerCase();
	const words = new Set(text.match(/[\w./-]+/g));
	t.deepEqual(
		[...new Set(keys)].filter((key) => !words.has(key.toLowerCase()) && !text.includes(`"${key.toLowerCase()}"`)),
		[],
	);
});

/** The settings whose default is written as a value: `"mtu": 1420`. */
function defaultsOf(rows: readonly string[][]): Record<string, unknown> {
	const found = rows.flatMap(([cell, , value]) => {
		const [key = ''] = codeSpans(cell);
		const [json] = codeSpans(value);
		return json === undefined || !/^(?:\d+|true|false|"[^"]*"|\[\])$/.test(json)
			? []
			: [[key, JSON.parse(json) as unknown]];
	});
	return Object.fromEntries(found) as Record<string, unknown>;
}

test('the defaults are those of the tables', (t) => {
	const [network = '', addresses = ''] = page.split(/^## `ipam`.*$/m);
	const members = defaultsOf(tableRows(network, 'Key'));
	const { dataDir, agentFile, ...ipam } = defaultsOf(tableRows(addresses.split(/^## /m)[0] ?? '', 'Key'));
	t.deepEqual([dataDir, agentFile], ['/run/mesos-overlay/leases', '/run/mesos-overlay/agent.json']);
	t.true(Object.keys(members).length > 10 && Object.keys(ipam).length > 2);
	const { cniVersion, ...settings } = members;
	t.is(cniVersion, '0.1.0');

	const [stated, absent] = [{ ...settings, ipam }, {}].map((change) => {
		const host = createHost(t);
		const container = host.container();
		const result = resultOf(t, documentedCall(host, container, { members: change }));
		const links = host.links().map(({ ifname, mtu, promiscuity, linkinfo }) => {
			const { hairpin, isolated } = linkinfo?.info_slave_data ?? {};
			return { ifname, mtu, promiscuity, hairpin, isolated, filtering: linkinfo?.info_data?.['vlan_filtering'] };
		});
		return [asDocumented(withoutHostMac(result), host, container), links, host.sysctl('net/ipv4/ip_forward')];
	});
	t.deepEqual(stated, absent);
});

test('keys in any case, null, empty text, zero and unknown keys', (t) => {
	const host = createHost(t);
	const members = { MTU: 1300, Bridge: 'm-other', HairpinMode: null, mac: '', vlan: 0, unknown: 1 };
	const { interfaces } = resultOf(t, documentedCall(host, host.container(), { members }));
	t.is(interfaces[0]?.name, 'm-other');
	t.is(interfaces[2]?.mtu, 1300);
	t.is(interfaces[2]?.mac, '02:64:09:00:01:02');
	t.is(host.link('veth45eqq01v9mq')?.linkinfo?.info_slave_data?.['hairpin'], true);
});

test('DEL with a configuration of which only the name is right', (t) => {
	const host = createHost(t);
	const container = host.container();
	resultOf(t, documentedCall(host, container, {}));
	const members = { cniVersion: 'x', mtu: 'x', dns: [], prevResult: [], timeout: 0, args: 1, ipam: { half: 1 } };
	const { status, stdout } = documentedCall(host, container, { members, variables: { CNI_COMMAND: 'DEL' } });
	t.deepEqual([status, stdout], [0, '']);
	t.is(host.links().length, 2);
	t.deepEqual(host.snapshot().leases, {});
});

/** The kernel chooses the MAC of the host's end. */
function withoutHostMac(result: Result): string {
	return JSON.stringify(result, (key, value: unknown) =>
		typeof value === 'object' && value !== null && 'name' in value && String(value.name).startsWith('veth')
			? { ...value, mac: key }
			: value,
	);
}

for (const [index, example] of examples.entries()) {
	test(`example ${index + 1}: ${Object.keys(example).join(', ')}`, (t) => {
		const host = createHost(t);
		const container = host.container();
		const print = (change: Change) => {
			const { json } = documentedCall(host, container, change);
			return JSON.parse(asDocumented(withoutHostMac(json as Result), host, container)) as object;
		};
		const expected = JSON.parse(withoutHostMac(example as unknown as Result)) as object;
		if ('type' in example) {
			const { ips } = resultOf(t, documentedCall(host, container, { members: example }));
			const addresses = ips.map(({ address }) => address);
			const isOfRanges = JSON.stringify(example).includes('"ranges"');
			t.deepEqual(addresses, isOfRanges ? ['10.1.2.10/24', 'fd00:1::100/64'] : ['9.0.1.2/27']);
		} else if ('networks' in example) {
			const { ips } = resultOf(t, documentedCall(host, container, { agentFile: JSON.stringify(example) }));
			t.is(ips[0]?.address, '9.0.1.2/27');
		} else if ('supportedVersions' in example) {
			t.deepEqual(print({ variables: { CNI_COMMAND: 'VERSION' } }), expected);
		} else if ('code' in example) {
			t.deepEqual(print({ members: { mtu: 67 } }), expected);
		} else {
			const { cniVersion } = example;
			const mesos = 'ip4' in example && 'ips' in example;
			const members = mesos ? { cniVersion, args: { 'org.apache.mesos': { network_info: {} } } } : { cniVersion };
			t.deepEqual(print({ members }), expected);
		}
	});
}

for (const [subnet = '', half = '', addresses = '', gateway = '', containers] of tableRows(page, '`agentSubnet`')) {
	test(`${half} half of ${subnet}: ${containers} containers`, (t) => {
		const [first = '', last = ''] = codeSpans(addresses);
		const ipam = { agentSubnet: codeSpans(subnet)[0], half: codeSpans(half)[0] };
		const ask = (address: string) => {
			const host = createHost(t);
			return documentedCall(host, host.container(), { members: { ipam, args: { cni: { ips: [address] } } } });
		};
		for (const address of [first, last]) {
			t.deepEqual(resultOf(t, ask(address)).ips[0], {
				address,
				gateway: codeSpans(gateway)[0] ?? '',
				interface: 2,
			});
		}
		const [lowest = 0, highest = 0] = [first, last].map((address) => Number(address.split(/[./]/)[3]));
		t.is(highest - lowest + 1, Number(containers));
		t.is(ask(last.replace(/\d+\/.*/, String(highest + 1))).json?.code, 7);
	});
}

for (const [prefix, bridged, routed] of tableRows(page, 'Prefix length of `agentSubnet`')) {
	test(`a half of a /${prefix}: ${bridged} containers, ${routed} when routed`, (t) => {
		const agentSubnet = readSubnet(`9.0.1.0/${prefix}`, 'agentSubnet');
		const sizeOf = (gateways?: OnLinkGateways) => {
			const { first, last } = rangeOfHalf(agentSubnet, 'mesos', 'agentSubnet', gateways);
			return last - first + 1n;
		};
		const gateways = readOnLinkGateways(fieldsOf({ addressing: 'routed' }, 'ipam.'), 'dcos');
		t.is(sizeOf(gateways), BigInt(routed ?? ''));
		if (bridged === '0') t.throws(() => sizeOf(), { message: /is too small/ });
		else t.is(sizeOf(), BigInt(bridged ?? ''));
	});
}
