// A host that drops what it is not told to forward, as Docker leaves it: our packets are forwarded all the same.
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, type Attached } from '../helpers/attach.ts';
import { hostWithIptables } from '../helpers/backends.ts';
import { executable } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { type Variant, variants } from '../helpers/iptables.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { half } from '../helpers/network-configuration.ts';
import { outside, uplink } from '../helpers/outside.ts';
import { testOn } from '../helpers/requirements.ts';

const families = [4, 6] as const;
const dual = { family: 'dual stack' } as const;
const web = { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80 }] } };
const masqueraded = { ipMasq: true, ipam: { overlay: '9.0.0.0/8', overlay6: 'fd00:9::/32', prefix6: 64 } };
const keys = { ...masqueraded, ...web };

/** What Docker does when it starts, as far as others are concerned. */
const DOCKER = `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-USER -j RETURN
COMMIT
`;

interface DockerHost {
	readonly host: Host;
	/** Has a program of the variant carry out some words, in both families. */
	readonly iptables: (words: string) => string[];
	/** Does what Docker does when it starts, after all rules were flushed, or before there are any. */
	readonly startDocker: () => void;
	/** What iptables shows of the chain FORWARD about the bridge, in both families. */
	readonly ours: () => string[][];
}

/** A host on which Docker runs with a variant of iptables, and whose rules are kept by us in one of the ways. */
function dockerHost(t: ExecutionContext, variant: Variant, backend: 'nftables' | 'iptables'): DockerHost {
	const host = backend === 'iptables' ? hostWithIptables(t, variant) : createHost(t);
	const programs = ['iptables', 'ip6tables'].map((family) => `${family}-${variant}`);
	const iptables = (words: string) => programs.map((program) => host.must([program, ...words.split(' ')]));
	const startDocker = () => {
		for (const program of programs) {
			const { status, stderr } = host.run([`${program}-restore`], { input: DOCKER });
			if (status !== 0) throw new Error(stderr);
		}
	};
	startDocker();
	return {
		host,
		iptables,
		startDocker,
		ours: () => iptables('-S FORWARD').map((text) => text.split('\n').filter((line) => line.includes(host.bridge))),
	};
}

const accepted = ({ bridge }: Host) => [`-A FORWARD -i ${bridge} -j ACCEPT`, `-A FORWARD -o ${bridge} -j ACCEPT`];

/** From where a container's port is reached, and whether the container reaches the world. */
async function reaches(machine: Namespace, { container }: Attached, host: Host): Promise<string[]> {
	const target = (address: string, port: number) => ({ protocol: 'tcp' as const, address, port });
	const inwards = await ask(
		machine,
		families.map((family) => target(uplink[family].host, 8080)),
	);
	const outwards = await ask(
		container,
		families.map((family) => target(uplink[family].outside, 80)),
	);
	const own = await ask(
		host,
		families.map((family) => target(half[family].address(1), 80)),
	);
	return [...inwards, ...outwards, ...own].map((answer) => answer?.name ?? 'nobody');
}

const everything = ['web', 'web', 'world', 'world', 'web', 'web'];

for (const variant of variants) {
	for (const backend of ['nftables', 'iptables'] as const) {
		const title = `Docker with iptables-${variant}, we with ${backend}`;

		testOn(`iptables-${variant}`, `packets are forwarded, and iptables shows why: ${title}`, async (t) => {
			const { host, ours } = dockerHost(t, variant, backend);
			const machine = outside(t, host);
			await serve(t, machine, 'world', [80]);
			const attached = attach(t, host, keys, dual);
			await serve(t, attached.container, 'web', [80]);
			t.deepEqual(await reaches(machine, attached, host), everything);
			silent(t, attached.check());

			attach(t, host, masqueraded, dual);
			const { status, stderr } = host.run([executable, 'restore', '--nat-dir', host.natDir]);
			t.deepEqual([status, stderr], [0, '']);
			t.deepEqual(ours(), [accepted(host), accepted(host)], 'once');
		});

		testOn(`iptables-${variant}`, `what Docker drops stays dropped, and what we drop, too: ${title}`, async (t) => {
			const { host } = dockerHost(t, variant, backend);
			const machine = outside(t, host);
			machine.must(['ip', 'route', 'add', '9.0.1.0/26', 'via', uplink[4].host]);
			host.must(['sh', '-c', 'ip link add docker0 type bridge && ip address add 172.17.0.1/16 dev docker0']);
			const docker = host.container();
			const commands = [
				`ip link add eth0 netns ${docker.name} type veth peer name docker1`,
				'ip link set docker1 master docker0 up',
				'ip link set docker0 up',
			];
			host.must(['sh', '-c', commands.join(' && ')]);
			docker.must([
				'sh',
				'-c',
				'ip address add 172.17.0.2/16 dev eth0 && ip link set eth0 up && ip route add default via 172.17.0.1',
			]);
			await serve(t, docker, 'docker', [80]);
			const open = attach(t, host, { ipMasq: true });
			const isolated = attach(t, host, { ipMasq: true, isolation: 'container' });
			await serve(t, open.container, 'open', [80]);
			await serve(t, isolated.container, 'isolated', [80]);
			const from = async (where: Namespace, address: string) =>
				(await ask(where, [{ protocol: 'tcp', address, port: 80 }]))[0]?.name;
			t.is(await from(host, '172.17.0.2'), 'docker');
			t.is(await from(open.container, '172.17.0.2'), undefined);
			t.is(await from(machine, half[4].address(1)), 'open');
			t.is(await from(host, half[4].address(2)), 'isolated');
			t.is(await from(machine, half[4].address(2)), undefined);
		});

		testOn(`iptables-${variant}`, `a flush is noticed by CHECK, the next ADD and restore: ${title}`, (t) => {
			const { host, iptables, startDocker, ours } = dockerHost(t, variant, backend);
			const attached = attach(t, host, keys, dual);
			const restart = () => {
				iptables('-F');
				iptables('-X');
				startDocker();
				t.deepEqual(ours(), [[], []]);
			};
			restart();
			const name = variant === 'legacy' ? 'tables-legacy' : 'tables';
			refused(
				t,
				attached.check(),
				105,
				`rule "-A FORWARD -i ${host.bridge} -j ACCEPT" of ip${name} is missing, and the policy is DROP`,
				`rule "-A FORWARD -o ${host.bridge} -j ACCEPT" of ip6${name} is missing`,
			);
			attach(t, host, masqueraded, dual);
			t.deepEqual(ours(), [accepted(host), accepted(host)]);
			silent(t, attached.check());
			restart();
			t.is(host.run([executable, 'restore', '--nat-dir', host.natDir]).status, 0);
			t.deepEqual(ours(), [accepted(host), accepted(host)]);
		});
	}

	testOn(`iptables-${variant}`, `a host that forwards anyway is left as it is: iptables-${variant}`, (t) => {
		const { host, iptables, ours } = dockerHost(t, variant, 'nftables');
		iptables('-P FORWARD ACCEPT');
		const attached = attach(t, host, keys, dual);
		t.deepEqual(ours(), [[], []]);
		silent(t, attached.check());
		iptables('-P FORWARD DROP');
		refused(t, attached.check(), 105, 'and the policy is DROP');
	});
}
