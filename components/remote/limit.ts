// The one import of an ES module, and before it the check that this Node can load one: else ERR_REQUIRE_ESM is all that is said.
import "../node/loadable";
import pLimit from "p-limit";

export { pLimit };
