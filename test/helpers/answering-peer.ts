// Run inside a namespace: `serve <name> <port>...` answers on TCP and UDP ports of both families who it is and whom it
// sees; `ask <milliseconds> <protocol,address,port>...` prints one answer a line, or a line with nothing.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const [role, first = '', ...rest] = process.argv.slice(2);

const plain = (address = ''): string => address.replace(/^::ffff:/u, '');

async function serve(name: string, ports: readonly number[]): Promise<void> {
	for (const port of ports) {
		const answer = (address?: string) => `${name} ${plain(address)}`;
		const server = createServer((socket) => {
			socket.on('error', () => {});
			socket.end(answer(socket.remoteAddress));
		});
		await new Promise<void>((listening) => server.listen({ port, host: '::' }, listening));
		// One a family: of one for both, the kernel would choose the address that an answer comes from.
		for (const [type, address] of [
			['udp4', '0.0.0.0'],
			['udp6', '::'],
		] as const) {
			const socket = createSocket({ type, ipv6Only: type === 'udp6' });
			socket.on('message', (_, peer) => socket.send(answer(peer.address), peer.port, peer.address));
			await new Promise<void>((bound) => socket.bind(port, address, bound));
		}
	}
	console.log('ready');
}

function askStream(address: string, port: number): Promise<string> {
	return new Promise((answered) => {
		const socket = connect({ host: address, port });
		let text = '';
		socket.on('data', (chunk) => (text += chunk.toString()));
		socket.on('close', () => answered(text));
		socket.on('error', () => {});
	});
}

function askDatagram(address: string, port: number, from?: number): Promise<string> {
	return new Promise((answered) => {
		const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
		socket.on('message', (message) => answered(message.toString()));
		socket.on('error', () => {});
		const send = () => socket.send('?', port, address);
		if (from === undefined) send();
		else socket.bind(from, send);
	});
}

async function ask(limit: number, targets: readonly string[]): Promise<void> {
	const answers = targets.map((target) => {
		const [protocol, address = '', port, from] = target.split(',');
		const late = new Promise<string>((late) => setTimeout(late, limit, ''));
		const answer =
			protocol === 'tcp'
				? askStream(address, Number(port))
				: askDatagram(address, Number(port), from === undefined ? undefined : Number(from));
		return Promise.race([answer, late]);
	});
	console.log((await Promise.all(answers)).join('\n'));
	process.exit();
}

if (role === 'serve') await serve(first, rest.map(Number));
else await ask(Number(first), rest);
