// Each sample in cni-conf attaches a container, as it is but for the places of leases, records and agent.json.
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { resultOf, silent } from '../helpers/assertions.ts';
import { attachment, executable, type Result, toolDirectory } from '../helpers/cni.ts';
import { systemPath } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { launch } from '../helpers/mesos-isolator.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { type Requirement, testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';
import { projectDirectory, readPage } from './markdown.ts';

type Sample = Readonly<Record<string, unknown>>;

function readSample(name: string): Sample {
	return JSON.parse(readFileSync(`${projectDirectory}/cni-conf/${name}`, 'utf8')) as Sample;
}

/** The sample with the directories of a test's host. */
function relocated(host: Host, sample: Sample): Sample {
	const { ipam } = sample;
	if (ipam === undefined) return sample;
	return {
		...sample,
		natDir: host.natDir,
		ipam: { ...(ipam as Sample), dataDir: host.dataDir, agentFile: `${host.directory}/agent.json` },
	};
}

const two = (host: Host) => [host.container(), host.container()] as const;

/** Attaches two containers as Mesos does it. */
async function launchTwo(t: ExecutionContext, host: Host, sample: Sample) {
	const requests = [{ configuration: relocated(host, sample) }];
	return [await launch(t, host, 'one', requests), await launch(t, host, 'other', requests)] as const;
}

const tested = new Set<string>();

function testSample(
	name: string,
	needs: readonly Requirement[],
	body: (t: ExecutionContext, sample: Sample) => Promise<void> | void,
) {
	tested.add(name);
	testOn(needs, name, (t) => body(t, readSample(name)));
}

testSample('dcos.conf', [], async (t, sample) => {
	const host = createHost(t);
	const [one, other] = await launchTwo(t, host, sample);
	t.deepEqual(one.networkInfos()[0]?.ip4?.ip, '9.0.1.2/27');
	t.true(ping(one, '9.0.1.3'));
	t.true(ping(other, '9.0.1.1'));
	for (const answer of [...(await one.destroy()), ...(await other.destroy())]) silent(t, answer);
	t.deepEqual(host.snapshot().leases, {});
});

testSample('dcos-agent.conf', [], async (t, sample) => {
	const host = createHost(t);
	writeFileSync(
		`${host.directory}/agent.json`,
		'{"networks":{"dcos":{"subnet":"9.0.7.0/26","subnet6":null,"mtu":1400}}}',
	);
	const [one, other] = await launchTwo(t, host, sample);
	t.is(one.networkInfos()[0]?.ip4?.ip, '9.0.7.2/27');
	t.is(one.link('eth0')?.mtu, 1400);
	t.true(ping(one, '9.0.7.3'));
	t.true(ping(other, '9.0.7.1'));
});

testSample('dual-stack.conf', ['ipv6'], async (t, sample) => {
	const host = createHost(t);
	const [one] = await launchTwo(t, host, sample);
	const [info] = one.networkInfos();
	t.deepEqual([info?.ip4?.ip, info?.ip6?.ip], ['9.0.2.2/27', 'fd00:9:0:2::2/65']);
	for (const address of ['9.0.2.1', '9.0.2.3', 'fd00:9:0:2::1', 'fd00:9:0:2::3']) t.true(ping(one, address), address);
});

testSample('ranges.conf', [], async (t, sample) => {
	const host = createHost(t);
	const [one, other] = await launchTwo(t, host, sample);
	t.is(one.networkInfos()[0]?.ip4?.ip, '10.23.1.16/16');
	t.is(one.networkInfos()[0]?.ip4?.gateway, '10.23.0.1');
	t.true(ping(one, '10.23.1.17'));
	t.true(ping(other, '10.23.0.1'));
});

testSample('dcos-routed.conf', [], async (t, sample) => {
	const host = createHost(t);
	const [one, other] = await launchTwo(t, host, sample);
	const ips = [one, other].map((container) => container.networkInfos()[0]?.ip4);
	t.deepEqual(
		ips.map((ip4) => ip4?.ip),
		['9.0.1.0/32', '9.0.1.1/32'],
	);
	t.true(ping(one, '9.0.1.1'));
	t.true(ping(other, ips[1]?.gateway ?? ''));
	t.true(ping(host, '9.0.1.0'));
	for (const answer of [...(await one.destroy()), ...(await other.destroy())]) silent(t, answer);
	t.deepEqual(host.snapshot().leases, {});
});

testSample('layer-2.conf', [], (t, sample) => {
	const host = createHost(t);
	const containers = two(host);
	for (const [index, container] of containers.entries()) {
		const { interfaces, ips } = resultOf(t, attachment(host, container, sample).add());
		t.deepEqual([interfaces[0]?.name, ips], ['br-wire', undefined as never]);
		container.must(['ip', 'address', 'add', `192.0.2.${index + 1}/24`, 'dev', 'eth0']);
	}
	t.true(ping(containers[0], '192.0.2.2'));
	t.deepEqual(host.addresses('br-wire'), []);
});

testSample('host-local.conf', ['reference-plugins'], (t, { ipam, ...sample }) => {
	const host = createHost(t);
	const containers = two(host);
	const configuration = { ...sample, ipam: { ...(ipam as Sample), dataDir: host.dataDir } };
	const attachments = containers.map((container) => attachment(host, container, configuration));
	const [one, other] = attachments.map((each) => resultOf(t, each.add()).ip4?.ip);
	t.deepEqual([one, other], ['10.22.0.2/16', '10.22.0.3/16']);
	t.deepEqual(host.addresses('cni0'), ['10.22.0.1/16']);
	t.true(ping(containers[0], '10.22.0.3'));
	for (const each of attachments) silent(t, each.del());
	t.is(host.links().length, 2);
});

testSample('dcos.conflist', ['cnitool'], (t, sample) => {
	const [plugin] = sample['plugins'] as Sample[];
	const host = createHost(t);
	const plugins = `${host.directory}/plugins`;
	const lists = `${host.directory}/net.d`;
	for (const directory of [plugins, lists, `${host.directory}/cache`]) mkdirSync(directory);
	for (const name of ['mesos-overlay', 'mesos-overlay-ipam']) symlinkSync(executable, `${plugins}/${name}`);
	writeFileSync(`${lists}/dcos.conflist`, JSON.stringify({ ...sample, plugins: [relocated(host, plugin ?? {})] }));
	// libcni's cache is at a fixed place; `ip netns exec` has given us a mount namespace of our own
	const cnitool = (verb: string, { path }: Namespace) =>
		host.run(
			[
				'sh',
				'-c',
				'mount --bind "$0" /var/lib && exec "$@"',
				`${host.directory}/cache`,
				`${toolDirectory}/cnitool`,
				verb,
				'dcos',
				path,
			],
			{ environment: { PATH: systemPath, NETCONFPATH: lists, CNI_PATH: plugins } },
		);
	const [one, other] = two(host);
	const results = [one, other].map((container) => JSON.parse(cnitool('add', container).stdout) as Result);
	t.deepEqual(
		results.map(({ cniVersion, ips }) => [cniVersion, ips[0]?.address]),
		[
			['1.0.0', '9.0.1.2/27'],
			['1.0.0', '9.0.1.3/27'],
		],
	);
	t.true(ping(one, '9.0.1.3'));
	t.is(cnitool('check', other).status, 0);
	for (const container of [one, other]) t.is(cnitool('del', container).status, 0);
	t.deepEqual(host.snapshot().leases, {});
});

test('every sample is tested, and docs/operations.md says what it is for', (t) => {
	const samples = globSync('*', { cwd: `${projectDirectory}/cni-conf` }).map((file) => basename(file));
	t.deepEqual([...tested].toSorted(), samples.toSorted());
	const page = readPage('docs/operations.md');
	t.deepEqual(
		samples.filter((sample) => !page.includes(`| \`cni-conf/${sample}\` |`)),
		[],
	);
});
