import { engineContract } from './contract.ts';
import { makeDockerWorld } from './docker-world.ts';

engineContract('Docker Engine', () => makeDockerWorld());
