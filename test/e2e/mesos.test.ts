// Called as a Mesos agent calls.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach } from '../helpers/attach.ts';
import { createHost } from '../helpers/host.ts';
import { launch, serialise } from '../helpers/mesos-isolator.ts';
import {
	everyFamily,
	everyVersion,
	familiesOf,
	half,
	networkConfiguration,
	roomForOne,
} from '../helpers/network-configuration.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const containerId = 'b7e0a9e3-7a3c-4d58-9d5f-0a9a8f1d2c3b';
const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

test('the configuration is re-serialised with sorted keys', (t) => {
	t.is(serialise({ b: [{ d: 1, c: null }], a: 'x/y' }), '{"a":"x/y","b":[{"c":null,"d":1}]}');
});

for (const cniVersion of [undefined, ...everyVersion]) {
	for (const family of everyFamily) {
		testOn(
			needsOf(family),
			`Mesos reads the addresses of a container: version ${cniVersion}, ${family}`,
			async (t) => {
				const host = createHost(t);
				const dns = { nameservers: ['9.0.1.1'], search: ['mesos'] };
				const configuration = networkConfiguration(host, { cniVersion, dns }, family);
				const container = await launch(t, host, containerId, [{ configuration }]);
				const [info] = container.networkInfos();
				for (const number of [4, 6] as const) {
					const { gateway, prefix, address } = half[number];
					t.deepEqual(
						info?.[`ip${number}`],
						familiesOf(family).includes(number)
							? {
									ip: `${address(1)}/${prefix}`,
									gateway,
									routes: [{ dst: everything[number], gw: gateway }],
								}
							: undefined,
					);
					if (familiesOf(family).includes(number)) t.true(ping(container, gateway));
				}
				t.deepEqual(info?.dns, { ...dns, options: [] });
				const [answer] = container.answers;
				t.is(answer?.json?.cniVersion, cniVersion ?? '0.1.0');
				t.is(answer?.json?.ips?.length, (cniVersion ?? '') >= '0.3.0' ? familiesOf(family).length : undefined);
				for (const deleted of await container.destroy()) silent(t, deleted);
				t.false(container.isRemembered());
				t.deepEqual(host.snapshot().leases, {});
			},
		);
	}
}

test.serial('several networks of one container are attached and detached all at once', async (t) => {
	const host = createHost(t);
	const names = ['a', 'b', 'c', 'd'].map((letter) => `${host.network}${letter}`);
	const requests = names.map((name, index) => {
		const ipam = { agentSubnet: `9.0.${index + 1}.0/26`, ...(index > 0 ? { routes: [] } : {}) };
		return { configuration: networkConfiguration(host, { cniVersion: '0.2.0', name, ipam }) };
	});
	const container = await launch(t, host, containerId, requests);
	t.deepEqual(
		container.networkInfos().map(({ ip4 }) => ip4?.ip),
		['9.0.1.2/27', '9.0.2.2/27', '9.0.3.2/27', '9.0.4.2/27'],
	);
	for (const index of names.keys()) t.true(ping(container, `9.0.${index + 1}.1`));
	for (const answer of await container.destroy()) silent(t, answer);
	t.deepEqual(host.snapshot().leases, {});
	t.is(host.links().length, 1 + names.length);
});

test.serial('nested containers, whose ids are long and nearly the same', async (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host, { cniVersion: '0.2.0' });
	const ids = [
		containerId,
		`${containerId}.${containerId}`,
		`${containerId}.child`,
		`${containerId}.child.${containerId}`,
	];
	const containers = await Promise.all(ids.map((id) => launch(t, host, id, [{ configuration }])));
	const addresses = containers.map((container) => container.networkInfos()[0]?.ip4?.ip);
	t.is(new Set(addresses).size, ids.length);
	const aliases = host
		.links()
		.flatMap(({ ifalias }) => (ifalias === undefined || !ifalias.includes('eth0') ? [] : [ifalias]));
	t.deepEqual(aliases.toSorted(), ids.map((id) => `mesos-overlay ${host.network} ${id} eth0`).toSorted());
	for (const container of containers) for (const answer of await container.destroy()) silent(t, answer);
	t.deepEqual(host.snapshot().leases, {});
});

test.serial('what a framework asks for: an address, labels, groups', async (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host, { cniVersion: '0.2.0' });
	const networkInfo = {
		ip_addresses: [{ protocol: 'IPv4', ip_address: '9.0.1.17' }],
		labels: { labels: [{ key: 'team', value: 'a/b' }] },
		groups: ['prod'],
	};
	const container = await launch(t, host, containerId, [{ configuration, networkInfo }]);
	t.is(container.networkInfos()[0]?.ip4?.ip, '9.0.1.17/27');
});

test.serial('a launch that fails is cleaned up by DEL', async (t) => {
	const host = createHost(t);
	attach(t, host, { ipam: roomForOne });
	const clean = host.snapshot();
	const configuration = networkConfiguration(host, { cniVersion: '0.2.0', ipam: roomForOne });
	const container = await launch(t, host, containerId, [{ configuration }]);
	t.throws(() => container.networkInfos(), { message: /9\.0\.1\.0\/30/ });
	for (const answer of await container.destroy()) silent(t, answer);
	t.false(container.isRemembered());
	t.deepEqual(host.snapshot(), clean);
});

test.serial('after a reboot DEL comes without a namespace, and succeeds', async (t) => {
	const host = createHost(t);
	const configuration = networkConfiguration(host, { cniVersion: '0.2.0' });
	const container = await launch(t, host, containerId, [{ configuration }]);
	container.reboot();
	host.must(['ip', 'link', 'del', host.bridge]);
	for (const answer of await container.destroy()) silent(t, answer);
	t.false(container.isRemembered());
	t.deepEqual(host.snapshot().leases, {});
});

test('leases of an earlier boot are free', (t) => {
	const host = createHost(t);
	const { result } = attach(t, host, { ipam: roomForOne });
	host.must(['ip', 'link', 'del', host.bridge]);
	const bootId = join(host.directory, 'boot-id');
	writeFileSync(bootId, '11111111-2222-4333-8444-555555555555\n');
	const script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';
	const again = attach(t, host, { ipam: roomForOne }, { call: { by: ['sh', '-c', script, bootId] } });
	t.deepEqual(again.result.ips, result.ips);
});
