// An agent's part is taken off its host.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createCluster, joinNetwork, startKeeperOn } from '../helpers/cluster.ts';
import type { Host } from '../helpers/host.ts';
import { variants } from '../helpers/iptables.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** Removes everything; gives what is said to be left. */
function removeFrom(host: Host): string[] {
	const peer = join(import.meta.dirname, '../helpers/remove-peer.ts');
	const words = [process.execPath, '--no-warnings', peer, host.natDir, host.dataDir, 'dcos'];
	return JSON.parse(host.must(words)) as string[];
}

/** What of ours is on a host, in words; nothing at all when it is ''. */
function remains(host: Host): string {
	const parts = [
		'ip -br link show vtep1024',
		'ip -br link show m-dcos',
		'ip route show proto 124',
		'ip -6 route show proto 124',
		'nft list tables',
	];
	return host.run(['sh', '-c', `{ ${parts.join('; ')}; } 2>/dev/null`]).stdout;
}

async function kept(t: ExecutionContext) {
	const cluster = createCluster(t, 2);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('two hosts');
	const keeper = startKeeperOn(t, host);
	await keeper.want(cluster.state());
	await keeper.stop();
	return { cluster, host };
}

testOn(needs, 'nothing is left on a host without containers', async (t) => {
	const { host } = await kept(t);
	const before = remains(host);
	for (const part of [/vtep1024/, /m-dcos/, /unreachable 9\.0\.0\.0\/8/, /mesos_overlay/]) t.regex(before, part);
	const member = joinNetwork(t, host);
	t.is(member.del().status, 0);
	t.deepEqual(removeFrom(host), []);
	t.is(remains(host), '');
	t.false(existsSync(host.natDir));
	t.false(existsSync(join(host.dataDir, 'dcos')));
	t.deepEqual(removeFrom(host), [], 'what is gone is no error');
});

testOn(needs, 'what a container needs stays until it has gone, and is named', async (t) => {
	const { host } = await kept(t);
	const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
	const member = joinNetwork(t, host, { capabilities: { portMappings: true }, runtimeConfig: { portMappings } });
	const holder = `container "${member.containerId}"`;
	t.deepEqual(removeFrom(host), [
		'bridge "m-dcos" has ports: it stays until their containers have gone',
		`the rules are needed by ${holder} of network "dcos"`,
		`network "dcos" has 2 leases, one of them of ${holder} (interface "eth0")`,
	]);
	t.is(host.link('vtep1024'), undefined);
	t.is(readdirSync(join(host.dataDir, 'dcos', 'addresses')).length, 2);
	t.is(member.check().status, 0, 'the container is as it was');
	t.is(member.del().status, 0);
	t.deepEqual(removeFrom(host), []);
	t.is(remains(host), '');
});

for (const variant of variants) {
	const program = `iptables-${variant}` as const;
	testOn(
		[...needs, program],
		`what lets packets pass a policy that drops goes, and nothing else of it: ${program}`,
		async (t) => {
			const { host } = await kept(t);
			for (const words of ['-P FORWARD DROP', '-A FORWARD -i other -j ACCEPT'])
				host.must([program, ...words.split(' ')]);
			const rules = () => host.must([program, '-S', 'FORWARD']);
			const before = rules();
			const member = joinNetwork(t, host, { ipMasq: true });
			t.is(rules(), `${before}-A FORWARD -i m-dcos -j ACCEPT\n-A FORWARD -o m-dcos -j ACCEPT\n`);
			t.is(member.del().status, 0);
			t.deepEqual(removeFrom(host), []);
			t.is(rules(), before);
		},
	);
}
