// Networks without addresses: the interface is set up, and nothing else.
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attachment } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { everyVersion, networkConfiguration } from '../helpers/network-configuration.ts';
import { ping } from '../helpers/traffic.ts';

for (const version of everyVersion.filter((candidate) => candidate >= '0.3.0')) {
	test(`ADD, CHECK and DEL without ipam at ${version}`, (t) => {
		const host = createHost(t);
		const container = host.container();
		const { add, check, del } = attachment(
			host,
			container,
			networkConfiguration(host, { cniVersion: version, ipam: null }),
		);
		const result = resultOf(t, add());
		t.false('ips' in result);
		t.deepEqual(
			result.interfaces.map(({ name, sandbox }) => [name.startsWith('veth') ? 'veth' : name, sandbox]),
			[
				[host.bridge, undefined],
				['veth', undefined],
				['eth0', container.path],
			],
		);
		t.true(container.link('eth0')?.flags.includes('UP'));
		t.deepEqual(container.addresses('eth0'), []);
		t.deepEqual(host.addresses(host.bridge), []);
		if (version >= '0.4.0') silent(t, check());
		silent(t, del());
		t.is(container.link('eth0'), undefined);
		t.deepEqual(
			host.links().map(({ ifname }) => ifname),
			['lo', host.bridge],
		);
	});
}

for (const version of ['0.1.0', '0.2.0']) {
	test(`a version that cannot carry a result without addresses is refused before anything is made: ${version}`, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		const configuration = networkConfiguration(host, { cniVersion: version, ipam: null });
		refused(t, attachment(host, host.container(), configuration).add(), 7, version);
		t.deepEqual(host.snapshot(), before);
	});
}

test('an ipam without a type is none', (t) => {
	const host = createHost(t);
	const configuration = { ...networkConfiguration(host, { ipam: null }), ipam: {} };
	t.false('ips' in resultOf(t, attachment(host, host.container(), configuration).add()));
});

test('frames pass between containers that address themselves', (t) => {
	const host = createHost(t);
	const [one, other] = [host.container(), host.container()];
	for (const [container, address] of [
		[one, '192.0.2.1/24'],
		[other, '192.0.2.2/24'],
	] as const) {
		resultOf(t, attachment(host, container, networkConfiguration(host, { ipam: null })).add());
		container.must(['ip', 'address', 'add', address, 'dev', 'eth0']);
	}
	t.true(ping(one, '192.0.2.2'));
});
