// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MatchBatch, OrderSpec, Policy } from "../market/MarketTypes.sol";
import { PackingTerms } from "../rules/PackingTerms.sol";

/// What is handed to the judge. All words are read at B(round), the block that the batch names by its hash; a word is given as the nodes of
/// its slot's trie proof, from the root down, and an empty list says that the word is not given.

/// @notice What a proof shows to be wrong.
enum Fault {
    /// Two batches of one round that one key signed.
    Equivocation,
    /// A record that the rules forbid, or with another price, resource, device, provider or token than the rules give.
    WrongRecord,
    /// A record although another machine was eligible at its place and better.
    BetterCandidate,
    /// A record that names an order, machine, offer or bid that never existed.
    UnknownName,
    /// No record for an order that a machine could have taken.
    OmittedOrder
}

/// @notice Which name of a record never existed.
enum Name {
    Order,
    Machine,
    Offer,
    Bid
}

/// @notice A batch and who signed it.
/// @param table Packed entries, the preimage of `batch.tableHash` (see IQuorumVerifier).
/// @param certificate ECDSA: a bitmap of 32 bytes, bit i for the table's entry i (bit 0 the lowest), then r and yParityAndS (EIP-2098) of
/// every signer in the table's order. BN254: a bitmap of those who did NOT sign, then the aggregate signature (X, Y) and the aggregate G2
/// key (X imaginary, X real, Y imaginary, Y real) of those who did.
struct SignedBatch {
    MatchBatch batch;
    bytes table;
    bytes certificate;
}

/// @notice The block of the snapshot and the two accounts that hold the words.
/// @param header RLP of the block header; its keccak256 is `snapshotHash`.
/// @param registryAccount Account proof of ProviderRegistry; empty when none of its words is read.
/// @param ordersAccount Account proof of OrderRequest; empty when none of its words is read.
struct SnapshotProof {
    bytes header;
    bytes[] registryAccount;
    bytes[] ordersAccount;
}

/// @notice A settled or settleable batch with everything it commits to.
/// @param packing Preimage of the policy's `packingHash`; not read in version 1 of the rules.
struct BatchEvidence {
    SignedBatch signed;
    Policy policy;
    PackingTerms packing;
    bytes records;
    SnapshotProof snapshot;
}

struct OrderEvidence {
    OrderSpec spec;
    bytes[] orderWord;
    bytes[] specHash;
}

/// @param offerWord The machine's offer `offerIndex`, newest terms; empty when not given.
/// @param bidWord The order's bid `bidIndex`; empty when not given.
struct MachineEvidence {
    uint32 machineId;
    bytes[] machineWord;
    bytes[] providerWord;
    uint8 offerIndex;
    bytes[] offerWord;
    uint8 bidIndex;
    bytes[] bidWord;
}

/// @notice For Fault.Equivocation: `abi.encode(EquivocationEvidence)`. Neither needs a quorum; who is in both is guilty.
struct EquivocationEvidence {
    SignedBatch first;
    SignedBatch second;
}

/// @notice For Fault.WrongRecord.
/// @param index Position of the record.
/// @param machine The record's machine. The source that the record names (offer or bid) must be given; the other may be. If the record
/// names a bid, a better bid on the machine may be given instead of it. Not read when the order is not eligible.
struct WrongRecordEvidence {
    BatchEvidence batch;
    uint256 index;
    OrderEvidence order;
    MachineEvidence machine;
}

/// @notice For Fault.BetterCandidate.
/// @param winner The record's machine; its price is the record's, so offer and bid are not read.
struct BetterCandidateEvidence {
    BatchEvidence batch;
    uint256 index;
    OrderEvidence order;
    MachineEvidence winner;
    MachineEvidence candidate;
}

/// @notice For Fault.UnknownName.
/// @param word Order: the orders' counter. Machine: the registry's counters. Offer: the machine's word. Bid: the order's word. Empty for
/// an order or machine id of 0.
/// @param orderWord Machine and Offer: the record's order, so that its tenant can be made whole; empty for none, and for the other names.
struct UnknownNameEvidence {
    BatchEvidence batch;
    uint256 index;
    Name name;
    bytes[] word;
    bytes[] orderWord;
}

/// @notice For Fault.OmittedOrder.
struct OmittedOrderEvidence {
    BatchEvidence batch;
    uint32 orderId;
    OrderEvidence order;
    MachineEvidence candidate;
}
