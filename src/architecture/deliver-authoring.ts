/**
 * What pushes deliver: the commit at the end of `branch` is fetched, built and run as `changeless up` does it, and jobs on push find their
 * commit there. The builder that does it has the engine, so who may push to the branch may do anything here.
 */
export type DeliverInput = {
  /** `https://…`, `ssh://…` or `user@host:path`; `http://` of this machine alone. Left out where all is pushed to the gateway's own remote. */
  repository?: string;
  /** `main` when left out. Pushes to others start jobs, and are not deployed. */
  branch?: string;
  /** Where `architecture.ts` is in it: its top when left out. */
  folder?: string;
  /** The name of the secret with which it is read: of https a token or `user:token`, of ssh a private key. */
  secret?: string;
};
