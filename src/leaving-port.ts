/** Where an instance that leaves is said to. Nothing listens there otherwise, which a data path takes for no news. */
export const leavingPort = 10_101;
