// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token like USDT: no return value, no allowance asked.
contract SilentToken {
    string public constant symbol = "SIL";
    uint8 public constant decimals = 6;
    mapping(address account => uint256) public balanceOf;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @notice Answers false and moves nothing where a good token would revert.
contract FalseToken {
    string public constant symbol = "FAL";
    uint8 public constant decimals = 18;
    mapping(address account => uint256) public balanceOf;
    bool public isBroken;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function setBroken(bool isBroken_) external {
        isBroken = isBroken_;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        if (isBroken || balanceOf[from] < amount) return false;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @notice Answers true although the receiver of a transfer got nothing, or even lost `taken`.
contract LyingToken {
    string public constant symbol = "LIE";
    uint8 public constant decimals = 6;
    mapping(address account => uint256) public balanceOf;
    uint256 public taken;

    function mint(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function setTaken(uint256 taken_) external {
        taken = taken_;
    }

    function transferFrom(address, address to, uint256) external returns (bool) {
        balanceOf[to] -= taken;
        return true;
    }
}

/// @notice Calls whoever it is told to while it moves.
contract CallbackToken is ERC20 {
    address private _target;
    bytes private _call;
    bool public hasSucceeded;
    bytes public answer;

    constructor() ERC20("CAL", "CAL") { }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function callBackWith(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function approveFor(address spender, uint256 amount) external {
        _approve(address(this), spender, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        bytes memory call = _call;
        if (call.length == 0) return;
        // Once, so that a callback that moves the token does not call itself for ever.
        delete _call;
        (hasSucceeded, answer) = _target.call(call);
    }
}

/// @notice A token like USDC: listed accounts can neither send nor receive.
contract BlocklistToken is ERC20 {
    mapping(address account => bool) public isBlocked;

    error Blocked(address account);

    constructor() ERC20("BLK", "BLK") { }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    function setBlocked(address account, bool isBlocked_) external {
        isBlocked[account] = isBlocked_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert Blocked(from);
        if (isBlocked[to]) revert Blocked(to);
        super._update(from, to, value);
    }
}
