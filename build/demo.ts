// Shows the plugin at work: two containers, attached and detached the way a Mesos agent does it: `npm run demo`.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { executableDirectory, projectDirectory, systemPath } from './project.ts';
import { BuildError, runScript } from './run.ts';

const BRIDGE = 'm-dcos';
const HOST = 'demo-host';
const CONTAINERS = [
	{ namespace: 'demo-a', id: 'b7e0a9e3-7a3c-4d58-9d5f-0a9a8f1d2c3b' },
	{ namespace: 'demo-b', id: '5f2d6c1e-40b7-4c6e-8a11-d3f7a90b6e42' },
] as const;
const NAMESPACES = [HOST, ...CONTAINERS.map(({ namespace }) => namespace)];
/** The configuration, the leases, and the records of rules; also what keeps two demos from running at once. */
const DIRECTORY = '/run/mesos-overlay-demo';
const CONFIGURATION = `${DIRECTORY}/dcos.conf`;
const LEASES = `${DIRECTORY}/leases`;
const RECORDS = `${DIRECTORY}/nat`;
const FORWARDING = ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'];

/** From the first signal on, no step is begun. */
let interruptedBy: NodeJS.Signals | undefined;

await runScript(async () => {
	refuseWhereItWouldDisturb();
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (interruptedBy = signal));
	const before = forwarding();
	try {
		await prepare();
		await attachAndPing();
		await detach();
	} finally {
		cleanUp(before);
	}
	if (process.exitCode === undefined) console.log(styleText('green', '\nThe demo succeeded.'));
});

function refuseWhereItWouldDisturb(): void {
	const refuse = (why: string): never => {
		throw new BuildError(`The demo was not started: ${why}.`);
	};
	if (process.getuid?.() !== 0) refuse('it makes network namespaces, which only root may; try "sudo npm run demo"');
	if (existsSync(`/sys/class/net/${BRIDGE}`)) {
		refuse(`this machine has a bridge ${BRIDGE} already, so the network dcos seems to be in use here`);
	}
	const left = leftovers();
	if (left.length > 0) {
		const remedy = `for n in ${NAMESPACES.join(' ')}; do ip netns del $n; done; rm -r ${DIRECTORY}`;
		refuse(`another one is running, or was killed (${left.join('; ')}). To clean up after it: ${remedy}`);
	}
}

async function prepare(): Promise<void> {
	heading('A host and two containers, each a network namespace');
	console.log(
		`The host is a namespace of its own, and leases and records have a directory of their own (${DIRECTORY}),`,
	);
	console.log('so that whatever runs on this machine is not disturbed.\n');
	mkdirSync(DIRECTORY);
	for (const namespace of NAMESPACES) await shell(`ip netns add ${namespace}`);

	heading('The network configuration: cni-conf/dcos.conf, with what Mesos adds, and the directories');
	const { ipam, ...network } = JSON.parse(readFileSync(`${projectDirectory}/cni-conf/dcos.conf`, 'utf8')) as {
		ipam: object;
	};
	const args = { 'org.apache.mesos': { network_info: { name: 'dcos' } } };
	const configuration = { ...network, natDir: RECORDS, ipam: { ...ipam, dataDir: LEASES }, args };
	writeFileSync(CONFIGURATION, `${JSON.stringify(configuration, undefined, 2)}\n`, { mode: 0o600 });
	await shell(`cat ${CONFIGURATION}`);
}

async function attachAndPing(): Promise<void> {
	const addresses: string[] = [];
	for (const container of CONTAINERS) {
		heading(`Mesos launches a container: ADD ${container.namespace}`);
		const { ip4 } = JSON.parse(await call('ADD', container)) as { ip4: { ip: string } };
		addresses.push(ip4.ip.replace(/\/.*/, ''));
	}
	for (const { namespace } of CONTAINERS) {
		heading(`What ${namespace} has`);
		await shell(`ip -n ${namespace} addr show dev eth0`);
		await shell(`ip -n ${namespace} route`);
	}
	heading('What the host has');
	await shell(`ip -n ${HOST} -brief addr`);
	await shell(`head -v -n 1 ${LEASES}/dcos/addresses/*`);

	const [one, other] = CONTAINERS;
	heading('From one container to the other, and to the gateway');
	await shell(`ip netns exec ${one.namespace} ping -n -c 2 -i 0.2 ${addresses[1]}`);
	await shell(`ip netns exec ${other.namespace} ping -n -c 2 -i 0.2 9.0.1.1`);
}

async function detach(): Promise<void> {
	for (const container of CONTAINERS) {
		heading(`Mesos destroys a container: DEL ${container.namespace}`);
		await call('DEL', container);
	}
	heading('Nothing is left of them');
	const links = await shell(`ip -n ${HOST} -brief link`);
	if (/veth/.test(links)) throw new BuildError('detaching the containers: there is a veth left on the host');
	for (const { namespace } of CONTAINERS) {
		const inside = await shell(`ip -n ${namespace} -brief link`);
		if (/eth0/.test(inside)) throw new BuildError(`detaching the containers: ${namespace} still has its eth0`);
	}
	const leases = `${LEASES}/dcos/addresses`;
	await shell(`ls -A ${leases}`);
	if (readdirSync(leases).length > 0) throw new BuildError(`detaching the containers: there is a lease in ${leases}`);
	heading('The bridge stays for the next container; the demo removes it');
	await shell(`ip -n ${HOST} link del ${BRIDGE}`);
}

/** Calls the plugin with what Mesos' network/cni isolator gives it: five variables, PATH, and a file as stdin. */
function call(command: 'ADD' | 'DEL', { namespace, id }: (typeof CONTAINERS)[number]): Promise<string> {
	const executable = executableDirectory.replace(`${projectDirectory}/`, '');
	return shell(
		[
			`ip netns exec ${HOST} env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin`,
			`CNI_COMMAND=${command} CNI_CONTAINERID=${id}`,
			`CNI_NETNS=/run/netns/${namespace} CNI_IFNAME=eth0 CNI_PATH=${executable}`,
			`${executable}/mesos-overlay < ${CONFIGURATION}`,
		].join(' \\\n    '),
	);
}

/** Prints a command, runs it, prints what it prints, and returns that. Throws when it fails. */
async function shell(command: string): Promise<string> {
	console.log(styleText('bold', `$ ${command}`));
	const options = { cwd: projectDirectory, env: { ...process.env, PATH: systemPath() } };
	const child = spawn('sh', ['-c', command], { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
	let output = '';
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		output += text;
		process.stdout.write(text);
	});
	const { promise, resolve, reject } = Promise.withResolvers<number | null>();
	child.on('error', reject).on('close', resolve);
	const status = await promise;
	if (interruptedBy !== undefined) throw new BuildError(`\nThe demo was stopped by ${interruptedBy}`);
	if (status !== 0) throw new BuildError(`\nThe demo failed: that command ended with status ${status}.`);
	return output;
}

function heading(text: string): void {
	console.log(styleText('cyan', `\n== ${text}`));
}

/** Removes what there may be, by processes in a group of their own, where Ctrl-C does not reach, and says what has stayed. */
function cleanUp(forwardingBefore: string): void {
	heading('The machine is as it was');
	const commands = NAMESPACES.filter(hasNamespace).map((namespace) => `ip netns del ${namespace}`);
	if (commands.length > 0) {
		console.log(styleText('bold', `$ ${commands.join('; ')}`));
		const env = { ...process.env, PATH: systemPath() };
		spawnSync('setsid', ['--wait', 'sh', '-c', commands.join('; ')], { env, stdio: 'inherit' });
	}
	rmSync(DIRECTORY, { recursive: true, force: true });

	const left = leftovers();
	const now = forwarding();
	if (now !== forwardingBefore) left.push(`IP forwarding was ${forwardingBefore} and is ${now}`);
	if (left.length > 0) {
		console.error(`It is not: ${left.join('; ')}`);
		process.exitCode = 1;
	} else {
		console.log(`No namespace demo-*, no ${DIRECTORY}; forwarding of IPv4 and IPv6 as before (${now}).`);
	}
}

function leftovers(): string[] {
	const left = NAMESPACES.filter(hasNamespace).map((namespace) => `there is a namespace ${namespace}`);
	if (existsSync(DIRECTORY)) left.push(`there is ${DIRECTORY}`);
	return left;
}

function hasNamespace(name: string): boolean {
	return existsSync(`/run/netns/${name}`);
}

function forwarding(): string {
	return FORWARDING.map((path) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '-')).join(' ');
}
