// What the containers of a cluster send each other and the world outside.
import { ask, serve } from './answering.ts';
import { underlay } from './cluster.ts';
import type { AgentHost, Container, RunningCluster } from './cluster-hosts.ts';
import type { Namespace } from './namespace.ts';
import { exchange } from './traffic-mesh.ts';

/**
 * Has every container send to every other by TCP and UDP and each family that both have, in packets of `mtu` bytes; each must be seen
 * by its own address. Gives what did not come about, and who has made or met fragments, the hosts included.
 */
export async function exchangeAll(
	containers: readonly Pick<Container, 'namespace' | 'address' | 'address6'>[],
	hosts: readonly AgentHost[],
	mtu: number,
) {
	const machines = [...hosts, ...containers.map(({ namespace }) => namespace)];
	const before = machines.map(fragmentsOf);
	const participants = containers.map((container) => {
		const { namespace, address, address6 } = container;
		const others = containers.filter((other) => other !== container);
		const targets = others.flatMap((other) => [
			other.address,
			...(address6 !== undefined && other.address6 !== undefined ? [other.address6] : []),
		]);
		return {
			namespace,
			addresses: address6 === undefined ? [address] : [address, address6],
			targets,
			sources: targets,
		};
	});
	const missing = await exchange(participants, mtu);
	const fragmenting = machines.filter((machine, at) => fragmentsOf(machine) !== before[at]);
	return [...missing, ...fragmenting.map(({ name }) => `${name} has to do with fragments`)];
}

function fragmentsOf(machine: Namespace): string {
	return machine.must(['nstat', '-asz', 'IpFragCreates', 'IpReasmReqds', 'Ip6FragCreates', 'Ip6ReasmReqds']);
}

const PORT = 7100;

/** Has the machine outside say by whom it is asked; gives what asks it, which gives what it has seen of a container. */
export async function serveOutside(
	t: Parameters<typeof serve>[0],
	{ outside }: RunningCluster,
): Promise<(from: Container) => Promise<(string | undefined)[]>> {
	await serve(t, outside, 'outside', [PORT]);
	return async ({ namespace, address6 }) => {
		const addresses = [underlay[4].outside, ...(address6 === undefined ? [] : [underlay[6].outside])];
		const answers = await ask(
			namespace,
			addresses.flatMap((address) =>
				(['tcp', 'udp'] as const).map((protocol) => ({ protocol, address, port: PORT })),
			),
		);
		return answers.map((answer) => answer?.sees);
	};
}
