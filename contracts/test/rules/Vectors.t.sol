// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { Test } from "forge-std/Test.sol";
import { MatchBatch, OrderSpec, Policy } from "../../src/market/MarketTypes.sol";
import { Candidate, Components, MatchRules, RoundFacts } from "../../src/rules/MatchRules.sol";
import { PackingRules } from "../../src/rules/PackingRules.sol";
import { PackingTerms } from "../../src/rules/PackingTerms.sol";
import { RoundRules, RulesByVersion } from "../../src/rules/RulesByVersion.sol";
import { PolicyHash } from "../../src/rules/PolicyHash.sol";
import { BidWord, BidWordLib } from "../../src/words/BidWord.sol";
import { Facts } from "../../src/words/Facts.sol";
import { MachineTotalsWord, MachineTotalsWordLib } from "../../src/words/MachineTotalsWord.sol";
import { MachineWord } from "../../src/words/MachineWord.sol";
import { OfferWord, OfferWordLib } from "../../src/words/OfferWord.sol";
import { OrderOwnerWord, OrderOwnerWordLib } from "../../src/words/OrderOwnerWord.sol";
import { OrderWord, OrderWordLib } from "../../src/words/OrderWord.sol";
import { ProviderOwnerWord, ProviderOwnerWordLib } from "../../src/words/ProviderOwnerWord.sol";
import { ProviderWord } from "../../src/words/ProviderWord.sol";
import { RecordFields, RecordWord, RecordWordLib } from "../../src/words/RecordWord.sol";
import { ScheduleWord } from "../../src/words/ScheduleWord.sol";
import { Slots } from "../../src/words/Slots.sol";

/// @notice Runs the vectors that TypeScript runs: the same words, hashes, rounds and matches, to the bit.
contract VectorsTest is Test {
    string private json;
    /// The identities that every matching case shares.
    bytes32 private seed;
    uint32 private orderId;
    uint256 private machineId;
    uint24 private providerId;

    // ---- words.json

    function test_Slots() public {
        _read("words.json");
        assertEq(Slots.REGISTRY_FACTS, _number(".slots.fixed.registryFacts"), "registryFacts");
        assertEq(Slots.REGISTRY_COUNTERS, _number(".slots.fixed.registryCounters"), "registryCounters");
        assertEq(Slots.ORDERS_FACTS, _number(".slots.fixed.ordersFacts"), "ordersFacts");
        assertEq(Slots.ORDERS_COUNTER, _number(".slots.fixed.ordersCounter"), "ordersCounter");
        assertEq(Slots.SETTLEMENT, _number(".slots.fixed.settlement"), "settlement");
        assertEq(Slots.TABLE_NEWEST, _number(".slots.fixed.table"), "table");
        assertEq(Slots.TABLE_NEWEST_HASH, _number(".slots.fixed.tableHash"), "tableHash");
        assertEq(Slots.TABLE_PREVIOUS, _number(".slots.fixed.previousTable"), "previousTable");
        assertEq(Slots.TABLE_PREVIOUS_HASH, _number(".slots.fixed.previousTableHash"), "previousTableHash");
        assertEq(Slots.SCHEDULE, _number(".slots.fixed.schedule"), "schedule");
        assertEq(Slots.POLICY_HASH_NEWEST, _number(".slots.fixed.policyHash"), "policyHash");
        assertEq(Slots.POLICY_HASH_PREVIOUS, _number(".slots.fixed.previousPolicyHash"), "previousPolicyHash");
        uint256[] memory ids = _column(".slots.byId.id");
        uint256[] memory machine = _column(".slots.byId.machine");
        uint256[] memory machineTotals = _column(".slots.byId.machineTotals");
        uint256[] memory offer3 = _column(".slots.byId.offer3");
        uint256[] memory previousOffer3 = _column(".slots.byId.previousOffer3");
        uint256[] memory provider = _column(".slots.byId.provider");
        uint256[] memory providerOwner = _column(".slots.byId.providerOwner");
        for (uint256 i = 0; i < ids.length; i++) {
            assertEq(Slots.machine(ids[i]), machine[i], "machine");
            assertEq(Slots.machineTotals(ids[i]), machineTotals[i], "machineTotals");
            assertEq(Slots.offer(ids[i], 3), offer3[i], "offer");
            assertEq(Slots.offerPrevious(ids[i], 3), previousOffer3[i], "offerPrevious");
            assertEq(Slots.provider(ids[i]), provider[i], "provider");
            assertEq(Slots.providerOwner(ids[i]), providerOwner[i], "providerOwner");
        }
        uint256[] memory order = _column(".slots.byId.order");
        uint256[] memory orderOwner = _column(".slots.byId.orderOwner");
        uint256[] memory orderSpec = _column(".slots.byId.orderSpec");
        uint256[] memory bid254 = _column(".slots.byId.bid254");
        for (uint256 i = 0; i < ids.length; i++) {
            assertEq(Slots.order(ids[i]), order[i], "order");
            assertEq(Slots.orderOwner(ids[i]), orderOwner[i], "orderOwner");
            assertEq(Slots.orderSpec(ids[i]), orderSpec[i], "orderSpec");
            assertEq(Slots.bid(ids[i], 254), bid254[i], "bid");
        }
    }

    function test_MachineWords() public {
        _read("words.json");
        uint256[] memory words = _column(".machine.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            MachineWord machine = MachineWord.wrap(words[i]);
            assertEq(machine.activeFromRound(), _cell(".machine.activeFromRound", i), "activeFromRound");
            assertEq(machine.activeUntilRound(), _cell(".machine.activeUntilRound", i), "activeUntilRound");
            assertEq(machine.providerId(), _cell(".machine.providerId", i), "providerId");
            assertEq(machine.model(), _cell(".machine.model", i), "model");
            assertEq(machine.region(), _cell(".machine.region", i), "region");
            assertEq(machine.offersWritten(), _cell(".machine.offersWritten", i), "offersWritten");
            assertEq(machine.freeMemoryMib(), _cell(".machine.freeMemoryMib", i), "freeMemoryMib");
            assertEq(machine.freeCpuMilli(), _cell(".machine.freeCpuMilli", i), "freeCpuMilli");
            assertEq(machine.freeStorageGib(), _cell(".machine.freeStorageGib", i), "freeStorageGib");
            for (uint256 device = 0; device < 8; device++) {
                assertEq(machine.freeMilliGpu(device), _cell(string.concat(".machine.device", vm.toString(device)), i), "device");
            }
        }
    }

    function test_MachineTotalsWords() public {
        _read("words.json");
        uint256[] memory words = _column(".machineTotals.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            MachineTotalsWord encoded = MachineTotalsWordLib.encode(
                _cell(".machineTotals.totalMemoryMib", i),
                _cell(".machineTotals.totalCpuMilli", i),
                _cell(".machineTotals.totalStorageGib", i),
                _cell(".machineTotals.deviceCount", i),
                _cell(".machineTotals.requiredStakeWhole", i),
                _cell(".machineTotals.registeredAtSeconds", i)
            );
            assertEq(MachineTotalsWord.unwrap(encoded), words[i], "word");
        }
    }

    function test_OfferWords() public {
        _read("words.json");
        uint256[] memory words = _column(".offer.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            OfferWord offer = OfferWordLib.encode(
                _cell(".offer.fromRound", i),
                _cell(".offer.gpuMicroPerHour", i),
                _cell(".offer.coreMicroPerHour", i),
                _cell(".offer.memoryGibMicroPerHour", i),
                _cell(".offer.storageTibMicroPerHour", i),
                _cell(".offer.tokenId", i)
            );
            assertEq(OfferWord.unwrap(offer), words[i], "word");
        }
    }

    function test_ProviderWords() public {
        _read("words.json");
        uint256[] memory words = _column(".provider.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            ProviderWord provider = ProviderWord.wrap(words[i]);
            assertEq(provider.stakeWhole(), _cell(".provider.stakeWhole", i), "stakeWhole");
            assertEq(provider.status(), _cell(".provider.status", i), "status");
            assertEq(provider.tier(), _cell(".provider.tier", i), "tier");
            assertEq(provider.uptimeBps(), _cell(".provider.uptimeBps", i), "uptimeBps");
            assertEq(provider.reputationBps(), _cell(".provider.reputationBps", i), "reputationBps");
            assertEq(provider.slashes(), _cell(".provider.slashes", i), "slashes");
            assertEq(provider.attributes(), _cell(".provider.attributes", i), "attributes");
            for (uint256 report = 0; report < 4; report++) {
                assertEq(provider.report(report), _cell(string.concat(".provider.report", vm.toString(report)), i), "report");
            }
        }
    }

    function test_OwnerWords() public {
        _read("words.json");
        uint256[] memory words = _column(".providerOwner.word");
        address[] memory owners = vm.parseJsonAddressArray(json, ".providerOwner.owner");
        for (uint256 i = 0; i < words.length; i++) {
            ProviderOwnerWord owner = ProviderOwnerWordLib.encode(
                owners[i], _cell(".providerOwner.requiredStakeWhole", i), _cell(".providerOwner.machineCount", i)
            );
            assertEq(ProviderOwnerWord.unwrap(owner), words[i], "provider owner");
        }
        words = _column(".orderOwner.word");
        address[] memory tenants = vm.parseJsonAddressArray(json, ".orderOwner.tenant");
        for (uint256 i = 0; i < words.length; i++) {
            OrderOwnerWord owner = OrderOwnerWordLib.encode(
                tenants[i],
                uint40(_cell(".orderOwner.maxPriceMicroPerHour", i)),
                uint24(_cell(".orderOwner.durationMinutes", i)),
                uint32(_cell(".orderOwner.expiresAtSeconds", i))
            );
            assertEq(OrderOwnerWord.unwrap(owner), words[i], "order owner");
        }
    }

    function test_OpenOrderWords() public {
        _read("words.json");
        uint256[] memory words = _column(".openOrder.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            OrderWord order = OrderWord.wrap(words[i]);
            assertEq(order.untilRound(), _cell(".openOrder.untilRound", i), "untilRound");
            assertEq(order.eligibleFromBlock(), _cell(".openOrder.eligibleFromBlock", i), "eligibleFromBlock");
            assertEq(order.maxPriceMicroPerHour(), _cell(".openOrder.maxPriceMicroPerHour", i), "maxPriceMicroPerHour");
            assertEq(order.bidCount(), _cell(".openOrder.bidCount", i), "bidCount");
            assertEq(order.milliGpu(), _cell(".openOrder.milliGpu", i), "milliGpu");
            assertEq(order.cpuMilli(), _cell(".openOrder.cpuMilli", i), "cpuMilli");
            assertEq(order.memoryMib(), _cell(".openOrder.memoryMib", i), "memoryMib");
            assertEq(order.storageGib(), _cell(".openOrder.storageGib", i), "storageGib");
            assertEq(order.state(), _cell(".openOrder.state", i), "state");
            assertEq(order.tokenId(), _cell(".openOrder.tokenId", i), "tokenId");
            assertEq(order.expiresAt(), _cell(".openOrder.expiresAtSeconds", i), "expiresAt");
        }
    }

    function test_BidWords() public {
        _read("words.json");
        uint256[] memory words = _column(".bid.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            BidWord bid = BidWordLib.encode(
                uint32(_cell(".bid.untilRound", i)),
                uint32(_cell(".bid.machineId", i)),
                uint40(_cell(".bid.priceMicroPerHour", i)),
                uint120(_cell(".bid.bondAndTime", i)),
                uint24(_cell(".bid.providerId", i))
            );
            assertEq(BidWord.unwrap(bid), words[i], "word");
        }
    }

    function test_RecordWords() public {
        _read("words.json");
        uint256[] memory words = _column(".record.word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            RecordFields memory fields;
            fields.orderId = uint32(_cell(".record.orderId", i));
            fields.machineId = uint32(_cell(".record.machineId", i));
            fields.priceMicroPerHour = uint40(_cell(".record.priceMicroPerHour", i));
            fields.deviceMask = uint8(_cell(".record.deviceMask", i));
            fields.milliGpu = uint16(_cell(".record.milliGpu", i));
            fields.cpuMilli = uint24(_cell(".record.cpuMilli", i));
            fields.memoryMib = uint24(_cell(".record.memoryMib", i));
            fields.storageGib = uint24(_cell(".record.storageGib", i));
            fields.offerIndex = uint8(_cell(".record.offerIndex", i));
            fields.fromBid = _cell(".record.fromBid", i) == 1;
            fields.tokenId = uint16(_cell(".record.tokenId", i));
            fields.providerId = uint24(_cell(".record.providerId", i));
            fields.bidIndex = uint8(_cell(".record.bidIndex", i));
            assertEq(RecordWord.unwrap(RecordWordLib.encode(fields)), words[i], "word");
        }
    }

    function test_Folds() public {
        _read("words.json");
        uint256[] memory folded = _column(".facts.folded");
        assertGt(folded.length, 0, "no cases");
        for (uint256 i = 0; i < folded.length; i++) {
            assertEq(Facts.fold(_cell(".facts.word", i), _cell(".facts.slot", i), _cell(".facts.value", i)), folded[i], "fold");
        }
    }

    /// The settlement word after a batch, as MatchSettlement packs it.
    function test_BatchFolds() public {
        _read("words.json");
        uint256[] memory folded = _column(".settlement.folded");
        assertGt(folded.length, 0, "no cases");
        for (uint256 i = 0; i < folded.length; i++) {
            uint256[] memory skipped = new uint256[](_cell(".settlement.words", i));
            uint256[] memory benched = new uint256[](skipped.length);
            for (uint256 j = 0; j < skipped.length; j++) {
                skipped[j] = _cell(string.concat(".settlement.skipped", vm.toString(j)), i);
                benched[j] = _cell(string.concat(".settlement.benched", vm.toString(j)), i);
            }
            bytes32 messageHash = bytes32(_cell(".settlement.messageHash", i));
            bytes32 recordsHash = bytes32(_cell(".settlement.recordsHash", i));
            uint256 hash = uint256(keccak256(abi.encodePacked(_cell(".settlement.word", i), messageHash, recordsHash, skipped, benched)));
            assertEq((hash >> 32 << 32) | _cell(".settlement.round", i), folded[i], "fold");
        }
    }

    function test_SettlementEffects() public {
        _read("words.json");
        uint256[] memory records = _column(".effects.record");
        assertGt(records.length, 0, "no cases");
        for (uint256 i = 0; i < records.length; i++) {
            MachineWord machine = MachineWord.wrap(_cell(".effects.machine", i));
            OrderWord lease = OrderWordLib.leaseOf(RecordWord.wrap(records[i]), _cell(".effects.matchedAt", i));
            MachineWord matched = MachineWord.wrap(_cell(".effects.matched", i));
            assertEq(OrderWord.unwrap(lease), _cell(".effects.lease", i), "lease");
            assertEq(MachineWord.unwrap(matched.released(records[i])), MachineWord.unwrap(machine), "matched");
            assertEq(MachineWord.unwrap(matched.released(OrderWord.unwrap(lease))), _cell(".effects.released", i), "released");
            assertEq(MachineWord.unwrap(machine.benchedUntil(_cell(".effects.benchFromRound", i))), _cell(".effects.benched", i), "benched");
        }
    }

    // ---- rounds.json

    function test_Rounds() public {
        _read("rounds.json");
        uint256[] memory words = _column(".word");
        assertGt(words.length, 0, "no cases");
        for (uint256 i = 0; i < words.length; i++) {
            ScheduleWord schedule = ScheduleWord.wrap(words[i]);
            uint256 round = _cell(".fromRound", i);
            assertEq(schedule.fromRoundAt(_cell(".block", i)), round, "fromRound");
            assertEq(schedule.openRoundAt(_cell(".block", i)), _cell(".openRound", i), "openRound");
            (bool known, uint256 snapshotBlock) = schedule.snapshotBlockOf(round);
            assertTrue(known, "known");
            assertEq(snapshotBlock, _cell(".snapshotBlock", i), "snapshotBlock");
            (, snapshotBlock) = schedule.snapshotBlockOf(round + 1);
            assertEq(snapshotBlock, _cell(".nextSnapshotBlock", i), "nextSnapshotBlock");
        }
    }

    // ---- records.json, digests.json

    function test_RecordsHashes() public {
        _read("records.json");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".batches.records");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(json, ".batches.recordsHash");
        assertGt(records.length, 0, "no cases");
        for (uint256 i = 0; i < records.length; i++) {
            assertEq(keccak256(records[i]), hashes[i], "recordsHash");
        }
    }

    function test_PolicyHashes() public {
        _read("digests.json");
        bytes[] memory encoded = vm.parseJsonBytesArray(json, ".policy.encoded");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(json, ".policy.policyHash");
        assertGt(encoded.length, 0, "no cases");
        for (uint256 i = 0; i < encoded.length; i++) {
            assertEq(PolicyHash.ofMemory(_firstVersion(encoded[i])), hashes[i], "policyHash");
        }
    }

    function test_TableHashes() public {
        _read("digests.json");
        for (uint256 i = 0; i < 4; i++) {
            string memory path = string.concat(".table[", vm.toString(i), "]");
            address[] memory keys = vm.parseJsonAddressArray(json, string.concat(path, ".keys"));
            uint256[] memory weights = _column(string.concat(path, ".weights"));
            bytes memory packed;
            for (uint256 j = 0; j < keys.length; j++) {
                packed = abi.encodePacked(packed, keys[j], uint96(weights[j]));
            }
            assertEq(keccak256(packed), vm.parseJsonBytes32(json, string.concat(path, ".tableHash")), "tableHash");
        }
    }

    function test_OperatorSetKeysAndSeeds() public {
        _read("digests.json");
        address[] memory avs = vm.parseJsonAddressArray(json, ".operatorSet.avs");
        for (uint256 i = 0; i < avs.length; i++) {
            bytes32 key = bytes32(abi.encodePacked(avs[i], uint96(_cell(".operatorSet.id", i))));
            assertEq(uint256(key), _cell(".operatorSet.key", i), "key");
        }
        uint256[] memory seeds = _column(".seed.seed");
        for (uint256 i = 0; i < seeds.length; i++) {
            bytes32 snapshotHash = bytes32(_cell(".seed.snapshotHash", i));
            assertEq(uint256(keccak256(abi.encodePacked(snapshotHash, uint64(_cell(".seed.round", i))))), seeds[i], "seed");
        }
    }

    function test_BatchAndCertificateDigests() public {
        _read("digests.json");
        address[] memory settlements = vm.parseJsonAddressArray(json, ".batch.settlement");
        address[] memory verifiers = vm.parseJsonAddressArray(json, ".batch.verifier");
        bytes32 batchType = keccak256(
            "MatchBatch(uint64 round,uint64 snapshotBlock,bytes32 snapshotHash,bytes32 policyHash,bytes32 operatorSetKey,uint32 tableTimestamp,bytes32 tableHash,bytes32 recordsHash,uint32 matchCount)"
        );
        for (uint256 i = 0; i < settlements.length; i++) {
            MatchBatch memory batch = _batch(i);
            bytes32 domain = keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                    keccak256("Matchmaker"),
                    keccak256("1"),
                    _cell(".batch.chainId", i),
                    settlements[i]
                )
            );
            bytes32 messageHash = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(batchType, batch))));
            assertEq(uint256(messageHash), _cell(".batch.messageHash", i), "messageHash");
            domain = keccak256(
                abi.encode(
                    keccak256("EIP712Domain(string name,string version,address verifyingContract)"),
                    keccak256("EigenLayer"),
                    keccak256("1"),
                    verifiers[i]
                )
            );
            bytes32 certificate = keccak256(
                abi.encode(keccak256("ECDSACertificate(uint32 referenceTimestamp,bytes32 messageHash)"), batch.tableTimestamp, messageHash)
            );
            assertEq(uint256(keccak256(abi.encodePacked(hex"1901", domain, certificate))), _cell(".batch.digest", i), "digest");
        }
    }

    function test_Jitter() public {
        _read("digests.json");
        uint256[] memory expected = _column(".jitter.jitter");
        assertGt(expected.length, 0, "no cases");
        Policy memory policy;
        for (uint256 i = 0; i < expected.length; i++) {
            policy.jitterRange = uint64(_cell(".jitter.range", i));
            uint256 jitter = MatchRules.jitterOf(
                policy, bytes32(_cell(".jitter.seed", i)), uint32(_cell(".jitter.orderId", i)), uint24(_cell(".jitter.providerId", i))
            );
            assertEq(jitter, expected[i], "jitter");
        }
    }

    /// Lock and accrual by the formulas of OrderRequest and ComputeLease; a lock of 0 in the file is one that does not fit 96 bits.
    function test_Amounts() public {
        _read("digests.json");
        uint256[] memory locks = _column(".amounts.lock");
        assertGt(locks.length, 0, "no cases");
        for (uint256 i = 0; i < locks.length; i++) {
            uint256 price = _cell(".amounts.price", i) * 10 ** (_cell(".amounts.decimals", i) - 6);
            uint256 lock = Math.ceilDiv(price * _cell(".amounts.minutes", i), 60);
            assertEq(lock > type(uint96).max ? 0 : lock, locks[i], "lock");
            assertEq(price * _cell(".amounts.seconds", i) / 3600, _cell(".amounts.accrued", i), "accrued");
        }
    }

    // ---- matching.json

    function test_Devices() public {
        _read("matching.json");
        uint256[] memory machines = _column(".devices.machine");
        assertGt(machines.length, 0, "no cases");
        for (uint256 i = 0; i < machines.length; i++) {
            (bool fits, uint256 mask) = MatchRules.chooseDevices(MachineWord.wrap(machines[i]), _cell(".devices.milliGpu", i));
            assertEq(fits, _cell(".devices.fits", i) == 1, "fits");
            assertEq(mask, _cell(".devices.mask", i), "mask");
        }
    }

    function test_Matching() public {
        // The file's text in storage costs more gas than a test has; what the rules cost is not measured here.
        vm.pauseGasMetering();
        bytes[] memory policies = vm.parseJsonBytesArray(vm.readFile("../test/vectors/digests.json"), ".policy.encoded");
        _read("matching.json");
        bytes[] memory specs = vm.parseJsonBytesArray(json, ".specs.encoded");
        bytes32[] memory specHashes = vm.parseJsonBytes32Array(json, ".specs.specHash");
        for (uint256 i = 0; i < specs.length; i++) {
            assertEq(keccak256(abi.encode(abi.decode(specs[i], (OrderSpec)))), specHashes[i], "specHash");
        }
        RoundFacts memory facts = RoundFacts(_number(".facts.round"), _number(".facts.snapshotBlock"), _number(".facts.timestamp"));
        seed = bytes32(_number(".facts.seed"));
        orderId = uint32(_number(".facts.orderId"));
        machineId = _number(".facts.machineId");
        providerId = uint24(_number(".facts.providerId"));
        uint256[] memory reasons = _column(".cases.reason");
        assertGt(reasons.length, 0, "no cases");
        for (uint256 i = 0; i < reasons.length; i++) {
            OrderSpec memory spec = abi.decode(specs[_cell(".cases.spec", i)], (OrderSpec));
            Policy memory policy = _firstVersion(policies[_cell(".cases.policy", i)]);
            Candidate memory candidate = _candidate(i);
            OrderWord order = OrderWord.wrap(_cell(".cases.order", i));
            assertEq(MatchRules.rejection(facts, policy, order, spec, candidate), reasons[i], string.concat("reason ", vm.toString(i)));
            assertEq(MatchRules.complianceOf(facts, policy, candidate.provider), _cell(".cases.compliance", i), "compliance");
            if (reasons[i] == 0) _checkScore(i, facts, policy, spec, candidate);
        }
    }

    // ---- packing.json

    function test_PackingHashes() public {
        _read("packing.json");
        (Policy[] memory policies, PackingTerms[] memory packings) = _packingPolicies();
        bytes32[] memory policyHashes = vm.parseJsonBytes32Array(json, ".policies.policyHash");
        bytes32[] memory packingHashes = vm.parseJsonBytes32Array(json, ".policies.packingHash");
        assertGt(policies.length, 0, "no cases");
        for (uint256 i = 0; i < policies.length; i++) {
            assertEq(PolicyHash.ofMemory(policies[i]), policyHashes[i], "policyHash");
            assertEq(PolicyHash.ofPacking(packings[i]), packingHashes[i], "packingHash");
            assertEq(policies[i].packingHash, packingHashes[i], "packingHash of the policy");
        }
    }

    function test_PackingDevices() public {
        _read("packing.json");
        (, PackingTerms[] memory packings) = _packingPolicies();
        uint256[] memory machines = _column(".devices.machine");
        assertGt(machines.length, 0, "no cases");
        for (uint256 i = 0; i < machines.length; i++) {
            (bool fits, uint256 mask) = PackingRules.chooseDevices(
                packings[_cell(".devices.policy", i)], MachineWord.wrap(machines[i]), _cell(".devices.milliGpu", i)
            );
            assertEq(fits, _cell(".devices.fits", i) == 1, "fits");
            assertEq(mask, _cell(".devices.mask", i), "mask");
        }
    }

    function test_PackingMatching() public {
        vm.pauseGasMetering();
        _read("packing.json");
        (Policy[] memory policies, PackingTerms[] memory packings) = _packingPolicies();
        bytes[] memory specs = vm.parseJsonBytesArray(json, ".specs.encoded");
        RoundRules memory rules;
        rules.facts = RoundFacts(_number(".facts.round"), _number(".facts.snapshotBlock"), _number(".facts.timestamp"));
        rules.seed = bytes32(_number(".facts.seed"));
        orderId = uint32(_number(".facts.orderId"));
        machineId = _number(".facts.machineId");
        uint256[] memory reasons = _column(".cases.reason");
        assertGt(reasons.length, 0, "no cases");
        for (uint256 i = 0; i < reasons.length; i++) {
            (rules.policy, rules.packing) = (policies[_cell(".cases.policy", i)], packings[_cell(".cases.policy", i)]);
            OrderSpec memory spec = abi.decode(specs[_cell(".cases.spec", i)], (OrderSpec));
            Candidate memory candidate = _candidate(i);
            OrderWord order = OrderWord.wrap(_cell(".cases.order", i));
            uint256 reason = MatchRules.rejection(rules.facts, rules.policy, order, spec, candidate);
            assertEq(reason, reasons[i], string.concat("reason ", vm.toString(i)));
            if (reason == 0) _checkPackingScore(i, rules, spec, candidate);
        }
    }

    function _checkPackingScore(uint256 i, RoundRules memory rules, OrderSpec memory spec, Candidate memory candidate) private {
        assertEq(PackingRules.lossOf(rules.packing, spec, candidate.machine), _cell(".cases.loss", i), "loss");
        assertEq(PackingRules.greatestLossOf(rules.packing, spec), _cell(".cases.greatestLoss", i), "greatestLoss");
        uint256 price = _cell(".cases.priceMicroPerHour", i);
        assertTrue(RulesByVersion.hasTotal(rules, spec, candidate, price), "hasTotal");
        assertEq(RulesByVersion.totalOf(rules, orderId, spec, candidate, price), _cell(".cases.total", i), "total");
    }

    function _packingPolicies() private view returns (Policy[] memory policies, PackingTerms[] memory packings) {
        bytes[] memory encoded = vm.parseJsonBytesArray(json, ".policies.encoded");
        bytes[] memory terms = vm.parseJsonBytesArray(json, ".policies.packing");
        (policies, packings) = (new Policy[](encoded.length), new PackingTerms[](encoded.length));
        for (uint256 i = 0; i < encoded.length; i++) {
            (policies[i], packings[i]) = (abi.decode(encoded[i], (Policy)), abi.decode(terms[i], (PackingTerms)));
        }
    }

    function _checkScore(uint256 i, RoundFacts memory facts, Policy memory policy, OrderSpec memory spec, Candidate memory candidate)
        private
    {
        (uint256 price, bool fromBid) = MatchRules.quote(facts, spec, candidate);
        assertEq(price, _cell(".cases.priceMicroPerHour", i), "priceMicroPerHour");
        assertEq(fromBid, _cell(".cases.fromBid", i) == 1, "fromBid");
        Components memory components = MatchRules.componentsOf(policy, spec, candidate, price);
        assertEq(components.price, _cell(".cases.price", i), "price");
        assertEq(components.stake, _cell(".cases.stake", i), "stake");
        assertEq(components.fit, _cell(".cases.fit", i), "fit");
        assertEq(components.region, _cell(".cases.region", i), "region");
        assertEq(components.uptime, _cell(".cases.uptime", i), "uptime");
        assertEq(components.reputation, _cell(".cases.reputation", i), "reputation");
        uint256 base = MatchRules.baseOf(facts, policy, candidate.provider, components);
        assertEq(base, _cell(".cases.base", i), "base");
        uint256 jitter = MatchRules.jitterOf(policy, seed, orderId, providerId);
        assertEq(base + jitter, _cell(".cases.total", i), "total");
    }

    function _candidate(uint256 i) private returns (Candidate memory) {
        return Candidate({
            machineId: machineId,
            machine: MachineWord.wrap(_cell(".cases.machine", i)),
            provider: ProviderWord.wrap(_cell(".cases.provider", i)),
            offer: OfferWord.wrap(_cell(".cases.offer", i)),
            bid: BidWord.wrap(_cell(".cases.bid", i))
        });
    }

    /// A policy of version 1 from the words that it knows.
    function _firstVersion(bytes memory encoded) private pure returns (Policy memory) {
        return abi.decode(bytes.concat(encoded, new bytes(64)), (Policy));
    }

    function _batch(uint256 i) private returns (MatchBatch memory batch) {
        batch.round = uint64(_cell(".batch.round", i));
        batch.snapshotBlock = uint64(_cell(".batch.snapshotBlock", i));
        batch.snapshotHash = bytes32(_cell(".batch.snapshotHash", i));
        batch.policyHash = bytes32(_cell(".batch.policyHash", i));
        batch.operatorSetKey = bytes32(_cell(".batch.operatorSetKey", i));
        batch.tableTimestamp = uint32(_cell(".batch.tableTimestamp", i));
        batch.tableHash = bytes32(_cell(".batch.tableHash", i));
        batch.recordsHash = bytes32(_cell(".batch.recordsHash", i));
        batch.matchCount = uint32(_cell(".batch.matchCount", i));
    }

    // ---- reading

    mapping(string path => uint256[] cells) private parsed;

    function _read(string memory name) private {
        json = vm.readFile(string.concat("../test/vectors/", name));
    }

    function _number(string memory path) private view returns (uint256) {
        return vm.parseJsonUint(json, path);
    }

    function _column(string memory path) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, path);
    }

    /// @dev Parses a column once: a file is large and a test reads a column as often as it has cases.
    function _cell(string memory path, uint256 row) private returns (uint256) {
        uint256[] storage cells = parsed[path];
        if (cells.length == 0) parsed[path] = _column(path);
        return parsed[path][row];
    }
}
