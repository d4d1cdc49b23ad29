// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { IMarketPause } from "../../src/governance/IMarketPause.sol";
import { IEscrow } from "../../src/market/IEscrow.sol";
import { ISignedCalls } from "../../src/market/ISignedCalls.sol";
import { CampaignBase, Deal } from "./CampaignBase.sol";
import { HostileToken, Manner } from "./HostileToken.sol";

/// @notice Tenants, sponsors and everybody with credit: money in, out, and between an account and its sponsor; tokens that misbehave.
abstract contract MoneySteps is CampaignBase {
    bytes32 private constant DEPOSIT_TYPE =
        keccak256("Deposit(uint16 tokenId,uint256 amount,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant WITHDRAW_TYPE =
        keccak256("Withdraw(uint16 tokenId,uint256 amount,address tenant,uint256 nonce,uint256 deadline)");
    bytes32 private constant CHOOSE_SPONSOR_TYPE =
        keccak256("ChooseSponsor(address sponsor,address tenant,uint256 nonce,uint256 deadline)");

    function _moneyStep() internal {
        uint256 kind = _draw(16);
        if (kind < 4) _depositSome();
        else if (kind < 8) _withdrawSome();
        else if (kind < 10) _sponsorSome();
        else if (kind == 10) _withdrawSponsoredSome();
        else if (kind == 11) _chooseSomeSponsor();
        else if (kind == 12) _donateToEscrow();
        else if (kind < 15) _misbehave();
        else _forgeMarketCall();
    }

    function _depositSome() private {
        _deposit(_draw(TENANTS + OWNERS), _anyToken(), _one(12) ? _draw(2000) : _draw(200_000_000));
    }

    /// Account `index` of tenants and owners deposits `micro` of the token.
    function _deposit(uint256 index, uint16 tokenId, uint256 micro) internal {
        address account = accounts[index];
        uint256 amount = micro * _scale(tokenId);
        _mint(tokenId, account, amount);
        uint256 received = _expectTransferIn(account, tokenId, amount);
        _refuse(received < _minimumDeposit(tokenId), IEscrow.MinimumDepositNotMet.selector);
        bytes memory data = abi.encodeCall(IEscrow.deposit, (tokenId, amount));
        bool done;
        if (index < TENANTS) (done,) = _asTenant(index, address(escrow), data, ISignedCalls.deposit.selector, DEPOSIT_TYPE);
        else (done,) = _call(account, address(escrow), data);
        if (done) owned[tokenId][account] += received;
    }

    function _withdrawSome() private {
        uint256 index = _draw(accounts.length);
        (address account, uint16 tokenId) = (accounts[index], _anyToken());
        uint256 available = owned[tokenId][account];
        uint256 amount = _one(8) ? available + _draw(3) : _draw(available + 2);
        _refuse(amount == 0, IEscrow.InvalidAmount.selector);
        _refuse(amount > available, IEscrow.InsufficientBalance.selector);
        _expectTransferOut(account, tokenId);
        uint256 before = _tokenBalance(tokenId, account);
        bytes memory data = abi.encodeCall(IEscrow.withdraw, (tokenId, amount));
        bool done;
        if (index < TENANTS) (done,) = _asTenant(index, address(escrow), data, ISignedCalls.withdraw.selector, WITHDRAW_TYPE);
        else (done,) = _call(account, address(escrow), data);
        if (_isPaused()) {
            _require(
                done || amount == 0 || amount > available || tokenId > NATIVE || index < TENANTS, "S22 exit while paused", tokenId, amount
            );
        }
        if (!done) return;
        owned[tokenId][account] -= amount;
        _require(_tokenBalance(tokenId, account) - before == _delivered(tokenId, amount), "S22 exit pays what it says", tokenId, amount);
    }

    function _sponsorSome() private {
        (address by, uint16 tokenId) = (_one(3) ? tenants[1] : sponsor, _anyToken());
        address[] memory beneficiaries = new address[](_one(16) ? 17 * _draw(2) : 1 + _draw(3));
        for (uint256 i; i < beneficiaries.length; ++i) {
            beneficiaries[i] = tenants[_draw(TENANTS)];
        }
        uint256 count = beneficiaries.length;
        uint256 amount = _draw(60_000_000) * _scale(tokenId) + _draw(7);
        _mint(tokenId, by, amount * count);
        uint256 received;
        _refuse(count == 0, IEscrow.InvalidAmount.selector);
        _refuse(count > 16, IEscrow.TooManyAccounts.selector);
        if (count != 0) {
            received = _expectTransferIn(by, tokenId, amount * count);
            _refuse(received / count == 0, IEscrow.InvalidAmount.selector);
            _refuse(received / count < _minimumDeposit(tokenId), IEscrow.MinimumDepositNotMet.selector);
        }
        (bool done,) = _call(by, address(escrow), abi.encodeCall(IEscrow.depositFor, (tokenId, amount, beneficiaries)));
        if (!done) return;
        uint256 share = received / count;
        for (uint256 i; i < count; ++i) {
            sponsoredOwned[tokenId][beneficiaries[i]][by] += share;
        }
        owned[tokenId][by] += received - share * count;
    }

    function _withdrawSponsoredSome() private {
        (address by, address account, uint16 tokenId) = (_one(3) ? tenants[1] : sponsor, tenants[_draw(TENANTS)], _anyToken());
        uint256 available = sponsoredOwned[tokenId][account][by];
        uint256 amount = _one(8) ? available + 1 : _draw(available + 1);
        _refuse(amount == 0, IEscrow.InvalidAmount.selector);
        _refuse(amount > available, IEscrow.InsufficientBalance.selector);
        _expectTransferOut(by, tokenId);
        (bool done,) = _call(by, address(escrow), abi.encodeCall(IEscrow.withdrawSponsored, (tokenId, account, amount)));
        if (done) sponsoredOwned[tokenId][account][by] -= amount;
    }

    function _chooseSomeSponsor() private {
        uint256 index = _draw(TENANTS);
        address chosen = _one(4) ? address(0) : _one(3) ? tenants[1] : sponsor;
        bytes memory data = abi.encodeCall(IEscrow.chooseSponsor, (chosen));
        (bool done,) = _asTenant(index, address(escrow), data, ISignedCalls.chooseSponsor.selector, CHOOSE_SPONSOR_TYPE);
        if (done) sponsorOf[tenants[index]] = chosen;
    }

    /// Tokens that nobody asked for: they are nobody's, and change no book.
    function _donateToEscrow() private {
        uint16 tokenId = _anyToken();
        uint256 amount = 1 + _draw(1e9);
        _mint(tokenId, address(escrow), amount);
        donated[tokenId] += amount;
    }

    function _misbehave() private {
        HostileToken token = _one(2) ? hostileA : hostileB;
        // Back to honest half of the time, so that its market goes on.
        Manner manner = _one(2) ? Manner.Honest : Manner(_draw(6));
        token.setManner(manner, _anyone());
    }

    /// What only the market's own contracts may call.
    function _forgeMarketCall() private {
        address caller = _anyone();
        uint32 orderId = _anyOrder();
        uint16 tokenId = _anyToken();
        uint256 kind = _draw(6);
        bytes memory data;
        if (kind == 0) data = abi.encodeCall(IEscrow.lock, (orderId, caller, tokenId, 1));
        else if (kind == 1) data = abi.encodeCall(IEscrow.fitLock, (orderId, 0));
        else if (kind == 2) data = abi.encodeCall(IEscrow.pay, (orderId, caller, type(uint96).max));
        else if (kind == 3) data = abi.encodeCall(IEscrow.release, (orderId));
        else if (kind == 4) data = abi.encodeCall(IEscrow.holdBond, (_anyone(), tokenId, 1));
        else data = abi.encodeCall(IEscrow.moveBond, (_anyone(), caller, tokenId, 1));
        _refuse(true, IEscrow.NotAuthorized.selector);
        _call(caller, address(escrow), data);
    }

    // ---- what a token does

    /// What arrives of `amount`; the token's and the escrow's reasons to refuse it.
    function _expectTransferIn(address from, uint16 tokenId, uint256 amount) private returns (uint256 received) {
        _refuse(_isPaused(), IMarketPause.MarketPaused.selector);
        _refuse(!tokenRegistry.isApproved(tokenId), IEscrow.TokenNotAccepted.selector);
        _refuse(amount == 0, IEscrow.InvalidAmount.selector);
        received = _delivered(tokenId, amount);
        _expectTransferOut(from, tokenId);
    }

    function _delivered(uint16 tokenId, uint256 amount) private view returns (uint256) {
        return tokenId > NATIVE && _hostile(tokenId).manner() == Manner.TakesFee ? amount - amount / 100 : amount;
    }

    /// The token's own reasons to refuse a transfer between the escrow and `account`.
    function _expectTransferOut(address account, uint16 tokenId) private {
        if (tokenId <= NATIVE) return;
        HostileToken token = _hostile(tokenId);
        Manner manner = token.manner();
        _refuse(manner == Manner.ReturnsFalse, SafeERC20.SafeERC20FailedOperation.selector);
        _refuse(manner == Manner.Blocks && token.blocked() == account, HostileToken.Blocked.selector);
    }

    function _minimumDeposit(uint16 tokenId) private pure returns (uint256) {
        return tokenId == NATIVE ? 10 : tokenId == 4 ? 1000 : 0;
    }

    // ---- the model of a lock

    /// What an order of `cost` locks at `userFeeBps`: rounded up.
    function _lockFor(uint256 cost, uint256 userFeeBps) internal pure returns (uint256) {
        uint256 numerator = cost * userFeeBps;
        return cost + numerator / 10_000 + (numerator % 10_000 == 0 ? 0 : 1);
    }

    /// What the tenant can lock for the order: its sponsor's funds for it and its own.
    function _lockable(address tenant_, uint16 tokenId, address bySponsor) internal view returns (uint256) {
        address from = bySponsor == address(0) ? sponsorOf[tenant_] : bySponsor;
        return owned[tokenId][tenant_] + (from == address(0) ? 0 : sponsoredOwned[tokenId][tenant_][from]);
    }

    function _bookLock(Deal storage deal, uint256 amount) internal {
        (address tenant_, uint16 tokenId) = (deal.tenant, deal.tokenId);
        address from = deal.sponsor == address(0) ? sponsorOf[tenant_] : deal.sponsor;
        uint256 available = from == address(0) ? 0 : sponsoredOwned[tokenId][tenant_][from];
        uint256 part = available < amount ? available : amount;
        if (part != 0) {
            deal.sponsor = from;
            deal.sponsored += uint96(part);
            sponsoredOwned[tokenId][tenant_][from] -= part;
        }
        deal.locked += uint96(amount);
        owned[tokenId][tenant_] -= amount - part;
    }

    function _bookReturn(Deal storage deal, uint256 amount) internal {
        uint256 part = deal.sponsored < amount ? deal.sponsored : amount;
        deal.sponsored -= uint96(part);
        if (part != 0) sponsoredOwned[deal.tokenId][deal.tenant][deal.sponsor] += part;
        owned[deal.tokenId][deal.tenant] += amount - part;
    }

    /// The lock ends: everything that is not spent goes back.
    function _bookRelease(Deal storage deal) internal {
        uint256 amount = deal.locked - deal.spent;
        deal.locked = deal.spent;
        _bookReturn(deal, amount);
    }

    /// Pays up to G = `accrued` in all: every share is the difference of two cumulative floors.
    function _bookPay(Deal storage deal, address provider, uint256 accrued) internal returns (uint256 toProvider) {
        if (accrued <= deal.paid) return 0;
        (uint256 provider1, uint256 treasury1, uint256 foundation1) = _shares(deal, accrued);
        (uint256 provider0, uint256 treasury0, uint256 foundation0) = _shares(deal, deal.paid);
        // One more unit of which both fees take one: nobody is asked to give one back, it waits.
        if (provider1 < provider0) return 0;
        uint256 spent = accrued + accrued * deal.userFeeBps / 10_000;
        uint256 debit = spent - deal.spent;
        deal.spent = uint96(spent);
        deal.paid = uint96(accrued);
        deal.sponsored -= uint96(debit < deal.sponsored ? debit : deal.sponsored);
        toProvider = provider1 - provider0;
        uint16 tokenId = deal.tokenId;
        owned[tokenId][provider] += toProvider;
        owned[tokenId][feeTreasury] += treasury1 - treasury0;
        owned[tokenId][foundation] += foundation1 - foundation0;
    }

    /// Treasury of the fee terms in force.
    address internal feeTreasury;

    /// Shares of G: each fee rounds down.
    function _shares(Deal storage deal, uint256 accrued)
        private
        view
        returns (uint256 toProvider, uint256 toTreasury, uint256 toFoundation)
    {
        uint256 fee = accrued * deal.providerFeeBps / 10_000;
        toFoundation = accrued * deal.foundationFeeBps / 10_000;
        toProvider = accrued - fee - toFoundation;
        toTreasury = fee + accrued * deal.userFeeBps / 10_000;
    }
}
