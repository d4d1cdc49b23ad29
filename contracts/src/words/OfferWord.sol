// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Terms of one offer: 224 fromRound32 | 134 pGpu36 | 104 pCpu30 | 78 pMem26 | 48 pStor30 | 32 tokenId16 (0 = withdrawn) | 0 zero.
/// Unit prices in micro-units of the token per hour: per GPU, per core, per GiB of memory, per 1024 GiB of storage.
type OfferWord is uint256;

using OfferWordLib for OfferWord global;

library OfferWordLib {
    function encode(uint256 fromRound_, uint256 pGpu, uint256 pCpu, uint256 pMem, uint256 pStor, uint256 tokenId_)
        internal
        pure
        returns (OfferWord)
    {
        return OfferWord.wrap((fromRound_ << 224) | (pGpu << 134) | (pCpu << 104) | (pMem << 78) | (pStor << 48) | (tokenId_ << 32));
    }

    function fromRound(OfferWord offer) internal pure returns (uint256) {
        return OfferWord.unwrap(offer) >> 224;
    }

    function gpuMicroPerHour(OfferWord offer) internal pure returns (uint256) {
        return (OfferWord.unwrap(offer) >> 134) & 0xfffffffff;
    }

    function coreMicroPerHour(OfferWord offer) internal pure returns (uint256) {
        return (OfferWord.unwrap(offer) >> 104) & 0x3fffffff;
    }

    function memoryGibMicroPerHour(OfferWord offer) internal pure returns (uint256) {
        return (OfferWord.unwrap(offer) >> 78) & 0x3ffffff;
    }

    function storageTibMicroPerHour(OfferWord offer) internal pure returns (uint256) {
        return (OfferWord.unwrap(offer) >> 48) & 0x3fffffff;
    }

    function tokenId(OfferWord offer) internal pure returns (uint256) {
        return (OfferWord.unwrap(offer) >> 32) & 0xffff;
    }
}
