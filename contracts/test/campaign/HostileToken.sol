// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEscrow } from "../../src/market/IEscrow.sol";

/// @notice What a payment token that governance should not have approved does on a transfer.
enum Manner {
    Honest,
    NoReturnValue,
    ReturnsFalse,
    /// Keeps one per cent of what a transfer delivers.
    TakesFee,
    /// Calls back into the escrow, as an account of its own, before it moves anything.
    Reenters,
    /// Refuses every transfer from or to one account.
    Blocks
}

/// @notice A token whose manner changes at any time; balances are always its true ones.
contract HostileToken {
    error Blocked(address account);
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);

    uint8 public immutable decimals;
    string public symbol;
    Manner public manner;
    address public blocked;
    IEscrow public escrow;
    uint16 public tokenId;
    /// Set when a call back into the escrow got through.
    bool public reentered;

    mapping(address account => uint256) public balanceOf;

    constructor(string memory symbol_, uint8 decimals_) {
        (symbol, decimals) = (symbol_, decimals_);
    }

    function aim(IEscrow escrow_, uint16 tokenId_) external {
        (escrow, tokenId) = (escrow_, tokenId_);
    }

    function setManner(Manner manner_, address blocked_) external {
        (manner, blocked) = (manner_, blocked_);
    }

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    /// Whoever asks may: allowances are not what is tested here.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        if (manner == Manner.ReturnsFalse) return false;
        if (manner == Manner.Blocks && (from == blocked || to == blocked)) revert Blocked(blocked);
        if (manner == Manner.Reenters && address(escrow) != address(0)) _callBack();
        if (balanceOf[from] < amount) revert ERC20InsufficientBalance(from, balanceOf[from], amount);
        balanceOf[from] -= amount;
        balanceOf[to] += manner == Manner.TakesFee ? amount - amount / 100 : amount;
        if (manner == Manner.NoReturnValue) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }

    /// Its own credit in the escrow, once more, or a deposit that would be measured twice.
    function _callBack() private {
        try escrow.withdraw(tokenId, 1) {
            reentered = true;
        } catch { }
        try escrow.deposit(tokenId, 1) {
            reentered = true;
        } catch { }
    }
}
