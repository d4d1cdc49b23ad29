// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SkipReason } from "../../src/market/MarketTypes.sol";

/// @notice What is asked of a settlement besides its records.
struct PlainTerms {
    uint256 matchCount;
    uint256 maxMatches;
    uint256 round;
    uint256 snapshotBlock;
    uint256 coolRounds;
    /// Seconds.
    uint256 time;
}

/// @notice What became of a record; the order is that of the records.
struct PlainOutcome {
    SkipReason reason;
    bool benched;
}

/// @title A settlement as docs/words.md and DESIGN 3.10 tell it, field by field: no packing trick, no assembly, nothing of `src` but names.
/// @dev The words of a whole market in one mapping: no two of its contracts use one slot.
contract PlainSettlement {
    error RecordsMalformed(string what);

    /// A record, taken apart.
    struct Match {
        uint256 orderId;
        uint256 machineId;
        uint256 price;
        uint256 deviceMask;
        uint256 milliGpu;
        uint256 cpuMilli;
        uint256 memoryMib;
        uint256 storageGib;
        uint256 offerIndex;
        bool fromBid;
        uint256 spareFlags;
        uint256 tokenId;
        uint256 providerId;
        uint256 bidIndex;
    }

    uint256 private constant OPEN = 1;
    uint256 private constant MATCHED = 4;
    uint256 private constant WORD_AREA = 2 ** 64;

    mapping(uint256 slot => uint256 word) public words;

    function put(uint256 slot, uint256 word) external {
        words[slot] = word;
    }

    /// @notice Machines give first, in the order of the records; then orders take; what an order refused goes back to its machine.
    function settle(bytes calldata records, PlainTerms calldata terms) external returns (PlainOutcome[] memory outcomes) {
        Match[] memory matches = _read(records, terms);
        outcomes = new PlainOutcome[](matches.length);
        bool[] memory reserved = new bool[](matches.length);
        for (uint256 i = 0; i < matches.length; i++) {
            outcomes[i].reason = _machineRefuses(matches[i], terms.round);
            reserved[i] = outcomes[i].reason == SkipReason.None;
            if (reserved[i]) _changeFree(matches[i], true);
            else outcomes[i].benched = _bench(matches[i], outcomes[i].reason, terms.round + 1 + terms.coolRounds);
        }
        for (uint256 i = 0; i < matches.length; i++) {
            if (!reserved[i]) continue;
            outcomes[i].reason = _orderRefuses(matches[i], terms);
            if (outcomes[i].reason == SkipReason.None) _lease(matches[i], terms.time);
        }
        for (uint256 i = 0; i < matches.length; i++) {
            if (reserved[i] && outcomes[i].reason != SkipReason.None) _changeFree(matches[i], false);
        }
    }

    // ---- form

    function _read(bytes calldata records, PlainTerms calldata terms) private pure returns (Match[] memory matches) {
        if (records.length % 32 != 0) revert RecordsMalformed("length");
        uint256 count = records.length / 32;
        if (count != terms.matchCount || count == 0 || count > terms.maxMatches) revert RecordsMalformed("matchCount");
        matches = new Match[](count);
        for (uint256 i = 0; i < count; i++) {
            matches[i] = _parse(uint256(bytes32(records[32 * i:32 * i + 32])));
        }
        for (uint256 i = 0; i < count; i++) {
            if (matches[i].orderId <= (i == 0 ? 0 : matches[i - 1].orderId)) revert RecordsMalformed("orderId");
        }
        for (uint256 i = 0; i < count; i++) {
            if (matches[i].spareFlags != 0) revert RecordsMalformed("flags");
        }
        for (uint256 i = 0; i < count; i++) {
            if (matches[i].fromBid && matches[i].offerIndex != 0) revert RecordsMalformed("bidIndex");
            if (!matches[i].fromBid && matches[i].bidIndex != 0) revert RecordsMalformed("bidIndex");
        }
    }

    function _parse(uint256 record) private pure returns (Match memory match_) {
        match_.orderId = _bits(record, 224, 32);
        match_.machineId = _bits(record, 192, 32);
        match_.price = _bits(record, 152, 40);
        match_.deviceMask = _bits(record, 144, 8);
        match_.milliGpu = _bits(record, 128, 16);
        match_.cpuMilli = _bits(record, 104, 24);
        match_.memoryMib = _bits(record, 80, 24);
        match_.storageGib = _bits(record, 56, 24);
        match_.spareFlags = _bits(record, 51, 5);
        match_.fromBid = _bits(record, 50, 1) == 1;
        match_.offerIndex = _bits(record, 48, 2);
        match_.tokenId = _bits(record, 32, 16);
        match_.providerId = _bits(record, 8, 24);
        match_.bidIndex = _bits(record, 0, 8);
    }

    // ---- machines

    function _machineRefuses(Match memory match_, uint256 round) private view returns (SkipReason) {
        uint256 machine = words[_machineSlot(match_.machineId)];
        if (machine == 0) return SkipReason.MachineUnknown;
        bool active = _bits(machine, 224, 32) <= round && round < _bits(machine, 192, 32);
        if (!active) return SkipReason.MachineInactive;
        if (_bits(machine, 168, 24) != match_.providerId) return SkipReason.ProviderMismatch;
        if (!_isMaskOf(match_.deviceMask, match_.milliGpu)) return SkipReason.DeviceMask;
        if (!_hasRoom(machine, match_)) return SkipReason.MachineCapacity;
        if (match_.fromBid) return SkipReason.None;
        uint256 offer = words[_machineSlot(match_.machineId) + 2 + match_.offerIndex];
        if (_bits(offer, 224, 32) > round) offer = words[_machineSlot(match_.machineId) + 6 + match_.offerIndex];
        if (_bits(offer, 32, 16) == 0 || _bits(offer, 32, 16) != match_.tokenId) return SkipReason.OfferMissing;
        return _price(offer, match_) == match_.price ? SkipReason.None : SkipReason.OfferPrice;
    }

    /// No device for no milli-GPU, one for a share, and for whole devices as many as there are thousands.
    function _isMaskOf(uint256 mask, uint256 milliGpu) private pure returns (bool) {
        uint256 devices = 0;
        for (uint256 device = 0; device < 8; device++) {
            devices += _bits(mask, device, 1);
        }
        if (milliGpu == 0) return devices == 0;
        if (milliGpu < 1000) return devices == 1;
        return milliGpu == devices * 1000;
    }

    function _hasRoom(uint256 machine, Match memory match_) private pure returns (bool) {
        for (uint256 device = 0; device < 8; device++) {
            if (_bits(machine, 10 * device, 10) < _needOfDevice(match_, device)) return false;
        }
        return _bits(machine, 100, 20) >= match_.cpuMilli && _bits(machine, 120, 24) >= match_.memoryMib
            && _bits(machine, 80, 20) >= match_.storageGib;
    }

    function _needOfDevice(Match memory match_, uint256 device) private pure returns (uint256) {
        if (_bits(match_.deviceMask, device, 1) == 0) return 0;
        return match_.milliGpu < 1000 ? match_.milliGpu : 1000;
    }

    /// Each of the four terms rounds down.
    function _price(uint256 offer, Match memory match_) private pure returns (uint256 price) {
        price = match_.milliGpu * _bits(offer, 134, 36) / 1000;
        price += match_.cpuMilli * _bits(offer, 104, 30) / 1000;
        price += match_.memoryMib * _bits(offer, 78, 26) / 1024;
        price += match_.storageGib * _bits(offer, 48, 30) / 1024;
    }

    function _changeFree(Match memory match_, bool take) private {
        uint256 slot = _machineSlot(match_.machineId);
        uint256 machine = words[slot];
        machine = _moved(machine, 100, 20, match_.cpuMilli, take);
        machine = _moved(machine, 120, 24, match_.memoryMib, take);
        machine = _moved(machine, 80, 20, match_.storageGib, take);
        for (uint256 device = 0; device < 8; device++) {
            machine = _moved(machine, 10 * device, 10, _needOfDevice(match_, device), take);
        }
        words[slot] = machine;
    }

    function _moved(uint256 word, uint256 from, uint256 size, uint256 amount, bool take) private pure returns (uint256) {
        uint256 value = _bits(word, from, size);
        return _with(word, from, size, take ? value - amount : value + amount);
    }

    /// Only for what the machine's own words lack; a longer bench stays.
    function _bench(Match memory match_, SkipReason reason, uint256 fromRound) private returns (bool) {
        if (reason != SkipReason.MachineInactive && reason != SkipReason.MachineCapacity && reason != SkipReason.OfferMissing) {
            return false;
        }
        uint256 slot = _machineSlot(match_.machineId);
        if (_bits(words[slot], 224, 32) < fromRound) words[slot] = _with(words[slot], 224, 32, fromRound);
        return true;
    }

    // ---- orders

    function _orderRefuses(Match memory match_, PlainTerms calldata terms) private view returns (SkipReason) {
        uint256 order = words[_orderSlot(match_.orderId)];
        if (_bits(order, 53, 3) != OPEN) return SkipReason.OrderNotOpen;
        bool same = _bits(order, 128, 16) == match_.milliGpu && _bits(order, 104, 24) == match_.cpuMilli
            && _bits(order, 80, 24) == match_.memoryMib && _bits(order, 56, 24) == match_.storageGib;
        if (!same || _bits(order, 32, 16) != match_.tokenId) return SkipReason.OrderTerms;
        if (_bits(order, 224, 32) <= terms.round) return SkipReason.OrderNotEligible;
        if (_bits(order, 192, 32) > terms.snapshotBlock) return SkipReason.OrderNotEligible;
        if (match_.price > _bits(order, 152, 40)) return SkipReason.OrderMaxPrice;
        if (!match_.fromBid) return SkipReason.None;
        if (match_.bidIndex >= _bits(order, 144, 8)) return SkipReason.BidMissing;
        uint256 bid = words[_area("matchmaker.words.bid") + 256 * match_.orderId + match_.bidIndex];
        if (_bits(bid, 224, 32) <= terms.round || _bits(bid, 192, 32) != match_.machineId) return SkipReason.BidMissing;
        if (_bits(bid, 8, 24) != match_.providerId) return SkipReason.BidMissing;
        return _bits(bid, 152, 40) == match_.price ? SkipReason.None : SkipReason.BidPrice;
    }

    function _lease(Match memory match_, uint256 time) private {
        uint256 lease = _with(0, 224, 32, time);
        lease = _with(lease, 192, 32, match_.machineId);
        lease = _with(lease, 152, 40, match_.price);
        lease = _with(lease, 144, 8, match_.deviceMask);
        lease = _with(lease, 128, 16, match_.milliGpu);
        lease = _with(lease, 104, 24, match_.cpuMilli);
        lease = _with(lease, 80, 24, match_.memoryMib);
        lease = _with(lease, 56, 24, match_.storageGib);
        lease = _with(lease, 53, 3, MATCHED);
        lease = _with(lease, 50, 1, match_.fromBid ? 1 : 0);
        lease = _with(lease, 48, 2, match_.offerIndex);
        lease = _with(lease, 32, 16, match_.tokenId);
        words[_orderSlot(match_.orderId)] = _with(lease, 8, 24, match_.providerId);
    }

    // ---- words

    function _machineSlot(uint256 machineId) private pure returns (uint256) {
        return _area("matchmaker.words.machine") + 16 * machineId;
    }

    function _orderSlot(uint256 orderId) private pure returns (uint256) {
        return _area("matchmaker.words.order") + 4 * orderId;
    }

    function _area(string memory name) private pure returns (uint256) {
        return uint256(keccak256(bytes(name))) / WORD_AREA * WORD_AREA;
    }

    function _bits(uint256 word, uint256 from, uint256 size) private pure returns (uint256) {
        return word / 2 ** from % 2 ** size;
    }

    /// The word with `value` in these bits.
    function _with(uint256 word, uint256 from, uint256 size, uint256 value) private pure returns (uint256) {
        require(value < 2 ** size, "field");
        return word - _bits(word, from, size) * 2 ** from + value * 2 ** from;
    }
}
