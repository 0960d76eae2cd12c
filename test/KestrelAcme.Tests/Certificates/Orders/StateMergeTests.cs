using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Protocol.Certificates;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class StateMergeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly RevocationRecord Compromise = new("01", Now, OnPurpose: false, RevocationReason.KeyCompromise);

    [Fact]
    public void Merge_FailureKnownAndStoredStateNeverDated_IsKept()
    {
        var known = CertificateStateRecord.Empty with { Failure = Failure(Now) };

        Assert.Equal(known.Failure, StateMerge.Merge(CertificateStateRecord.Empty, known, served: null).Failure);
    }

    [Fact]
    public void Merge_FailureOlderThanTheStoredState_IsForgotten()
    {
        var stored = new CertificateStateRecord { State = CertificateState.Valid, Since = Now };

        Assert.Null(
            StateMerge.Merge(stored, CertificateStateRecord.Empty with { Failure = Failure(Now.AddMinutes(-1)) }, served: null).Failure);
    }

    [Fact]
    public void Merge_RevocationOfWhatIsServedNotStored_IsKeptAndTheOrderLeftBehindDropped()
    {
        var stored = new CertificateStateRecord { StoredOrder = Pending() };

        var merged = StateMerge.Merge(stored, CertificateStateRecord.Empty with { Revocation = Compromise }, served: "01");

        Assert.Equal(Compromise, merged.Revocation);
        Assert.Null(merged.StoredOrder);
    }

    [Fact]
    public void Merge_UrlOfTheOrderNotStored_IsKept()
    {
        var stored = new CertificateStateRecord { StoredOrder = Pending() with { OrderUrl = null } };
        var known = stored with { StoredOrder = stored.StoredOrder with { OrderUrl = new Uri("https://ca.test/order/1") } };

        Assert.Equal(known.StoredOrder.OrderUrl, StateMerge.Merge(stored, known, served: null).StoredOrder!.OrderUrl);
    }

    [Fact]
    public void Merge_FailureOfTheStoredIntentNotStored_IsNotCountedAgain()
    {
        var stored = new CertificateStateRecord { State = CertificateState.Renewing, Since = Now, StoredOrder = Pending() };
        var known = new CertificateStateRecord { Failure = Failure(Now.AddMinutes(1)) };

        Assert.True(StateMerge.Merge(stored, known, served: null).StoredOrder!.IsCounted);
        Assert.False(StateMerge.Merge(stored with { StoredOrder = Pending() with { At = Now.AddMinutes(2) } }, known, null)
            .StoredOrder!.IsCounted);
    }

    [Fact]
    public void Merge_AnotherOrderIsStored_UrlOfTheKnownOneIsForgotten()
    {
        var known = new CertificateStateRecord { StoredOrder = Pending() with { OrderUrl = new Uri("https://ca.test/order/1") } };
        var later = new CertificateStateRecord { StoredOrder = known.StoredOrder with { OrderUrl = null, At = Now.AddHours(1) } };
        var otherKey = new CertificateStateRecord { StoredOrder = known.StoredOrder with { OrderUrl = null, PrivateKey = [9] } };

        Assert.Null(StateMerge.Merge(later, known, served: null).StoredOrder!.OrderUrl);
        Assert.Null(StateMerge.Merge(otherKey, known, served: null).StoredOrder!.OrderUrl);
        Assert.Null(StateMerge.Merge(CertificateStateRecord.Empty, known, served: null).StoredOrder);
    }

    [Fact]
    public void Merge_AStateFromBeforeTheOrderIsStored_TheOrderIsKept()
    {
        var known = new CertificateStateRecord
        {
            State = CertificateState.Renewing,
            Since = Now,
            StoredOrder = Pending() with { OrderUrl = new Uri("https://ca.test/order/1"), At = Now },
        };

        // Another instance filled the emptied store with what it knew.
        var merged = StateMerge.Merge(
            new CertificateStateRecord { State = CertificateState.Valid, Since = Now.AddDays(-60) }, known, served: null);
        Assert.Equal((CertificateState.Renewing, known.StoredOrder), (merged.State, merged.StoredOrder));

        // Another instance finished it.
        Assert.Null(StateMerge.Merge(
            new CertificateStateRecord { State = CertificateState.Valid, Since = Now.AddMinutes(1) }, known, served: null).StoredOrder);
    }

    [Fact]
    public void Merge_RevocationOfAnEarlierCertificate_IsForgotten()
    {
        var known = CertificateStateRecord.Empty with { Revocation = Compromise };

        Assert.Null(StateMerge.Merge(CertificateStateRecord.Empty, known, served: "02").Revocation);
    }

    [Theory]
    [InlineData(CertificateState.Valid)]
    [InlineData(CertificateState.Waiting)]
    public void Merge_RenewalWantedAndNotStored_IsKept(CertificateState state)
    {
        var stored = new CertificateStateRecord { State = state, Since = Now, RecordsEnd = Now.AddDays(9) };
        var known = stored with { State = CertificateState.RenewalDue, RecordsEnd = null };

        var merged = StateMerge.Merge(stored, known, served: "01");

        Assert.Equal(stored with { State = CertificateState.RenewalDue }, merged);
    }

    [Fact]
    public void Merge_RenewalWantedBeforeTheStoredState_IsForgotten()
    {
        var stored = new CertificateStateRecord { State = CertificateState.Valid, Since = Now };
        var known = new CertificateStateRecord { State = CertificateState.RenewalDue, Since = Now.AddMinutes(-1) };

        Assert.Equal(stored, StateMerge.Merge(stored, known, served: "01"));
    }

    private static StoredOrder Pending() => new()
    {
        Names = ["app.test"],
        KeyAlgorithm = "EcdsaP256",
        PrivateKey = [1],
        DirectoryUrl = new Uri("https://ca.test/dir"),
        AccountUrl = new Uri("https://ca.test/acct/1"),
        At = Now,
    };

    private static FailureRecord Failure(DateTimeOffset at)
        => new() { Cause = FailureCause.Name, Message = "no", Count = 1, At = at, NextAttempt = at.AddMinutes(5) };
}
