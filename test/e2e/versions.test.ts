// ADD, CHECK and DEL at every version and family: what the kernel has then, and what the result says of it.
import test, { type ExecutionContext } from 'ava';
import { macOfGateway } from '../../src/bridge/names.ts';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attachment, invoke } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import {
	everyFamily,
	everyVersion,
	familiesOf,
	type Family,
	half,
	networkConfiguration,
} from '../helpers/network-configuration.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';

type Version = (typeof everyVersion)[number];

const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

function expectedShape(version: Version, family: Family, host: Host, container: Namespace): unknown {
	const families = familiesOf(family);
	const ofFamily = (number: 4 | 6) => {
		const { gateway, prefix, address } = half[number];
		return { gateway, address: `${address(1)}/${prefix}`, route: { dst: everything[number], gw: gateway } };
	};
	if (version < '0.3.0') {
		const members = families.map((number) => {
			const { gateway, address, route } = ofFamily(number);
			return [`ip${number}`, { ip: address, gateway, routes: [route] }];
		});
		return { cniVersion: version, ...Object.fromEntries(members), dns: {} };
	}
	const device = (link: { ifname: string; address: string; mtu: number } | undefined, sandbox?: string) => ({
		name: link?.ifname,
		mac: link?.address,
		...(version === '1.1.0' ? { mtu: link?.mtu } : {}),
		...(sandbox === undefined ? {} : { sandbox }),
	});
	const port = host.links().find(({ master }) => master === host.bridge);
	return {
		cniVersion: version,
		interfaces: [device(host.link(host.bridge)), device(port), device(container.link('eth0'), container.path)],
		ips: families.map((number) => {
			const { gateway, address } = ofFamily(number);
			return { ...(version < '1.0.0' ? { version: `${number}` } : {}), interface: 2, address, gateway };
		}),
		routes: families.map((number) => ofFamily(number).route),
		...(version < '1.0.0' ? { dns: {} } : {}),
	};
}

const macOfSubnet = { IPv4: '02:64:09:00:01', IPv6: '02:66:00:00:00', 'dual stack': '02:64:09:00:01' };

function hasContainer(t: ExecutionContext, container: Namespace, family: Family): void {
	const link = container.link('eth0');
	t.is(link?.linkinfo?.info_kind, 'veth');
	t.true(link?.flags.includes('UP'));
	t.is(link?.mtu, 1420);
	t.is(link?.address, `${macOfSubnet[family]}:02`);
	const families = familiesOf(family).map((number) => ({ number, ...half[number] }));
	t.deepEqual(
		container.addresses('eth0'),
		families.map(({ address, prefix }) => `${address(1)}/${prefix}`),
	);
	for (const { number, gateway } of families) {
		t.is(container.routes(number).find(({ dst }) => dst === 'default')?.gateway, gateway);
	}
}

function hasBridge(t: ExecutionContext, host: Host, family: Family): void {
	const bridge = host.link(host.bridge);
	t.is(bridge?.linkinfo?.info_kind, 'bridge');
	t.is(bridge?.linkinfo?.info_data?.['vlan_filtering'], 0);
	t.is(bridge?.mtu, 1420);
	t.is(bridge?.address, macOfGateway(half[family === 'IPv6' ? 6 : 4].gateway));
	const families = familiesOf(family);
	t.deepEqual(
		host.addresses(host.bridge),
		families.map((number) => `${half[number].gateway}/${half[number].prefix}`),
	);
	t.is(host.sysctl('net/ipv4/ip_forward'), families.includes(4) ? '1' : '0');
	t.is(host.sysctl('net/ipv6/conf/all/forwarding'), families.includes(6) ? '1' : '0');
}

function hasPort(t: ExecutionContext, host: Host, containerId: string): void {
	const ports = host.links().filter(({ ifname }) => ifname !== 'lo' && ifname !== host.bridge);
	t.is(ports.length, 1);
	const [port] = ports;
	t.regex(port?.ifname ?? '', /^veth[0-9a-v]{11}$/);
	t.is(port?.ifalias, `mesos-overlay ${host.network} ${containerId} eth0`);
	t.is(port?.master, host.bridge);
	t.is(port?.linkinfo?.info_slave_data?.['hairpin'], true);
	t.is(port?.mtu, 1420);
}

function attachesAndDetaches(t: ExecutionContext, version: Version, family: Family): void {
	const host = createHost(t);
	const container = host.container();
	const configuration = networkConfiguration(host, { cniVersion: version }, family);
	const { add, del, check, containerId } = attachment(host, container, configuration);
	const added = add();
	const result = resultOf(t, added);
	t.is(added.stderr, '');
	hasContainer(t, container, family);
	hasBridge(t, host, family);
	hasPort(t, host, containerId);
	t.deepEqual(result as unknown, expectedShape(version, family, host, container));

	if (version >= '0.4.0') silent(t, check());
	else refused(t, check(), 1, 'CHECK', version);

	const before = host.snapshot();
	const second = attachment(host, host.container(), configuration);
	resultOf(t, second.add());
	silent(t, second.del());
	t.deepEqual(host.snapshot(), before);

	silent(t, del());
	t.is(container.link('eth0'), undefined);
	t.deepEqual(
		host.links().map(({ ifname }) => ifname),
		['lo', host.bridge],
	);
	t.deepEqual(host.snapshot().leases, {});
}

for (const version of everyVersion) {
	for (const family of everyFamily) {
		testOn(needsOf(family), `ADD and DEL at ${version} with ${family}`, (t) =>
			attachesAndDetaches(t, version, family),
		);
	}
}

test('a configuration without a version is one of 0.1.0', (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host, { cniVersion: undefined });
	const result = resultOf(t, attachment(host, host.container(), configuration).add());
	t.is(result.cniVersion, '0.1.0');
	t.is(result.ip4?.ip, '9.0.1.2/27');
});

test('VERSION names every version, and asks for no other variable', (t) => {
	const { json, status } = invoke(createHost(t), { command: 'VERSION' });
	t.is(status, 0);
	t.is(json?.cniVersion, '1.1.0');
	t.deepEqual(json?.supportedVersions, [...everyVersion]);
});
