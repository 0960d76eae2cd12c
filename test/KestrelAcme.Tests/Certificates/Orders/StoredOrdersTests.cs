using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class StoredOrdersTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private static readonly StoredOrder Intent = new()
    {
        Names = ["app.test"],
        KeyAlgorithm = "EcdsaP256",
        PrivateKey = [1],
        DirectoryUrl = new Uri("https://ca.test/dir"),
        AccountUrl = new Uri("https://ca.test/acct/1"),
        At = Now,
    };

    [Fact]
    public void ThrowIfOutcomeUnknown_IntentOfACrash_Throws()
    {
        var state = new CertificateStateRecord { StoredOrder = Intent, Failure = Failure(Now.AddDays(-1)) };

        Assert.Throws<OrderOutcomeUnknownException>(() => StoredOrders.ThrowIfOutcomeUnknown(state));
    }

    [Fact]
    public void ThrowIfOutcomeUnknown_FailureCountedAfterTheClockWentBack_DoesNot()
        => StoredOrders.ThrowIfOutcomeUnknown(
            new CertificateStateRecord { StoredOrder = StoredOrders.Counted(Intent), Failure = Failure(Now.AddDays(-14)) });

    [Fact]
    public void Counted_OrderThatWasPlaced_IsLeftAsItIs()
    {
        var placed = Intent with { OrderUrl = new Uri("https://ca.test/order/1") };

        Assert.Same(placed, StoredOrders.Counted(placed));
        Assert.Null(StoredOrders.Counted(null));
    }

    [Fact]
    public void Merge_FailureOfAnIntentNotStored_TheIntentIsCounted()
    {
        var stored = new CertificateStateRecord { StoredOrder = Intent };
        var known = stored with { StoredOrder = StoredOrders.Counted(Intent), Failure = Failure(Now.AddMinutes(1)) };

        Assert.True(StateMerge.Merge(stored, known, served: null).StoredOrder!.IsCounted);
        var other = stored with { StoredOrder = Intent with { At = Now.AddMinutes(2) } };
        Assert.False(StateMerge.Merge(other, known, served: null).StoredOrder!.IsCounted);
    }

    private static FailureRecord Failure(DateTimeOffset at)
        => new() { Cause = FailureCause.Authority, Message = "no", Count = 0, At = at, NextAttempt = at.AddMinutes(5) };
}
