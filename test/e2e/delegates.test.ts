// Another IPAM plugin gives the addresses, run from CNI_PATH as the specification says.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { executable, toolDirectory } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { everyVersion } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const hostLocal = (host: Host) => ({
	type: 'host-local',
	agentSubnet: undefined,
	ranges: [[{ subnet: '10.7.0.0/24' }], [{ subnet: 'fd07::/64' }]],
	routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
	dataDir: join(host.directory, 'host-local'),
});
const leasesOf = (host: Host) =>
	readdirSync(join(host.directory, 'host-local', host.network)).filter((name) => /^(?:10\.|fd07)/u.test(name));

for (const cniVersion of everyVersion) {
	testOn(['ipv6', 'reference-plugins'], `host-local gives addresses of both families at ${cniVersion}`, (t) => {
		const host = createHost(t);
		const first = attach(t, host, { cniVersion, ipam: hostLocal(host) });
		const { container, check, del, result } = attach(t, host, { cniVersion, ipam: hostLocal(host) });
		t.is(result.cniVersion, cniVersion);
		t.deepEqual(container.addresses('eth0'), ['10.7.0.3/24', 'fd07::3/64']);
		t.deepEqual(host.addresses(host.bridge), ['10.7.0.1/24', 'fd07::1/64']);
		for (const address of ['10.7.0.1', '10.7.0.2', 'fd07::1', 'fd07::2']) t.true(ping(container, address), address);
		t.is(leasesOf(host).length, 4);
		if (cniVersion >= '0.4.0') silent(t, check());
		silent(t, del());
		t.deepEqual(leasesOf(host).toSorted(), ['10.7.0.2', 'fd07::2']);
		silent(t, first.del({ netns: '' }));
		t.deepEqual(leasesOf(host), []);
	});
}

testOn('reference-plugins', 'static gives the address that is written', (t) => {
	const host = createHost(t);
	const ipam = {
		type: 'static',
		agentSubnet: undefined,
		addresses: [{ address: '10.8.0.9/24', gateway: '10.8.0.1' }],
		routes: [{ dst: '0.0.0.0/0' }],
		dns: { nameservers: ['10.8.0.1'] },
	};
	const { container, result, check, del } = attach(t, host, { ipam });
	t.deepEqual(container.addresses('eth0'), ['10.8.0.9/24']);
	t.is(container.link('eth0')?.address, '02:64:0a:08:00:09');
	t.deepEqual(result.dns, { nameservers: ['10.8.0.1'] });
	t.true(ping(container, '10.8.0.1'));
	silent(t, check());
	silent(t, del());
});

testOn('reference-plugins', 'a gateway that the delegate does not name is the first address of its network', (t) => {
	const host = createHost(t);
	const ipam = { type: 'static', agentSubnet: undefined, addresses: [{ address: '10.8.0.9/24' }] };
	const { container } = attach(t, host, { ipam, isDefaultGateway: true });
	t.deepEqual(host.addresses(host.bridge), ['10.8.0.1/24']);
	t.true(ping(container, '10.8.0.1'));
});

testOn('reference-plugins', 'dns of the configuration stands in for that of the delegate, as a whole', (t) => {
	const ipam = {
		type: 'static',
		agentSubnet: undefined,
		addresses: [{ address: '10.8.0.9/24' }],
		dns: { nameservers: ['10.8.0.1'], domain: 'delegate' },
	};
	const { result } = attach(t, createHost(t), { ipam, dns: { domain: 'mesos' } });
	t.deepEqual(result.dns, { domain: 'mesos' });
});

testOn(['ipv6', 'reference-plugins'], 'two addresses of one family', (t) => {
	const host = createHost(t);
	const ipam = {
		type: 'static',
		agentSubnet: undefined,
		addresses: [{ address: 'fd08::9/64' }, { address: 'fd09::9/64' }, { address: '10.8.0.9/24' }],
	};
	const { container, result } = attach(t, host, { ipam });
	t.is(result.ips.length, 3);
	for (const gateway of ['fd08::1', 'fd09::1', '10.8.0.1']) t.true(ping(container, gateway), gateway);
});

test('a delegate that is missing: ADD says where it was looked for, DEL detaches all the same', (t) => {
	const host = createHost(t);
	const { add, del } = prepare(host, { ipam: { type: 'no-such-plugin' } });
	const { msg, details } = refused(t, add({ path: '/usr/bin:/nowhere' }), 106, '"no-such-plugin"');
	t.regex(`${msg}${details}`, /\/usr\/bin/);
	const attached = attach(t, host);
	const { configuration, container } = attached;
	const broken = { ...configuration, ipam: { type: 'no-such-plugin' } };
	t.not(attached.del({ configuration: broken }).status, 0);
	t.is(container.link('eth0'), undefined);
	del();
});

test('a delegate without CNI_PATH', (t) => {
	const host = createHost(t);
	refused(t, prepare(host, { ipam: hostLocal(host) }).add({ path: undefined }), 4, 'CNI_PATH');
	t.is(host.links().length, 1);
});

testOn('reference-plugins', 'mesos-overlay-ipam gives addresses to another main plugin', (t) => {
	const host = createHost(t);
	const links = join(host.directory, 'plugins');
	mkdirSync(links);
	symlinkSync(executable, join(links, 'mesos-overlay-ipam'));
	const container = host.container();
	const { add, check, del } = prepare(host, { type: 'bridge', bridge: host.bridge, isGateway: true }, { container });
	const reference = { executable: join(toolDirectory, 'bridge'), path: links };
	const { ips } = resultOf(t, add(reference));
	t.deepEqual(ips, [{ address: '9.0.1.2/27', gateway: '9.0.1.1', interface: 2 }]);
	t.true(ping(container, '9.0.1.1'));
	silent(t, check(reference));
	silent(t, del(reference));
	t.deepEqual(host.snapshot().leases, {});
});

test('an ADD whose delegate hangs ends at its time limit, and leaves nothing', (t) => {
	const host = createHost(t);
	const before = host.snapshot();
	// Only its ADD hangs: what it has leased by then is released.
	writeFileSync(join(host.directory, 'hanging'), '#!/bin/sh\n[ "$CNI_COMMAND" = DEL ] || exec sleep 60\n', {
		mode: 0o755,
	});
	const began = performance.now();
	const { add } = prepare(host, { timeout: 1, ipam: { type: 'hanging', agentSubnet: undefined } });
	refused(t, add({ path: host.directory }), 11, 'running IPAM plugin "hanging"', 'killed', '"timeout"');
	const took = performance.now() - began;
	t.true(took >= 1000 && took < 10_000, `${took} ms`);
	t.deepEqual(host.snapshot(), before);
});
