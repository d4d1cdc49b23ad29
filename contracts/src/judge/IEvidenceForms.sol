// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    BetterCandidateEvidence,
    EquivocationEvidence,
    OmittedOrderEvidence,
    UnknownNameEvidence,
    WrongRecordEvidence
} from "./Evidence.sol";

/// @title The forms that `IFaultJudge.judge` takes as bytes, by fault, for whoever encodes them from an ABI.
/// @dev The evidence of a fault is the arguments of its function here, without the selector. No contract implements it.
interface IEvidenceForms {
    function equivocation(EquivocationEvidence calldata evidence) external;
    function wrongRecord(WrongRecordEvidence calldata evidence) external;
    function betterCandidate(BetterCandidateEvidence calldata evidence) external;
    function unknownName(UnknownNameEvidence calldata evidence) external;
    function omittedOrder(OmittedOrderEvidence calldata evidence) external;
}
