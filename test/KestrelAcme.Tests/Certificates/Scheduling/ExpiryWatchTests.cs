using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class ExpiryWatchTests
{
    private const string Name = "late.test";

    private readonly FakeTimeProvider _time = new();
    private readonly List<CertificateEvent> _events = [];
    private readonly CertificateCatalog _catalog = new(new RecordingPublisher());
    private readonly ExpiryWatch _watch;
    private readonly ManagedCertificate _certificate;

    public ExpiryWatchTests()
    {
        var hub = new CertificateEventHub(static () => [], _time, NullLogger<CertificateEventHub>.Instance);
        hub.Published += _events.Add;
        _watch = new ExpiryWatch(_catalog, new IssuanceStatus { ReasonNotToOrder = null }, hub, _time);
        _catalog.Apply([SampleCertificates.Specification(Name)], SampleCertificates.Configuration);
        _certificate = _catalog.Find(Name)!;
        _certificate.IsLoaded = true;
        Serve();
    }

    // 90 days: due after 60 (a third is left), late after 64.5.
    [Theory]
    [InlineData(59, 0)]
    [InlineData(64, 0)]
    [InlineData(65, 1)]
    public void Look_DaysAfterIssuance_RaisesOnceTheRenewalIsLate(int days, int raised)
    {
        Pass(TimeSpan.FromDays(days));

        Assert.Equal(raised, _events.Count);
        Assert.All(_events, e => Assert.Equal((CertificateEventKind.Expiring, Name), (e.Kind, e.CertificateId)));
    }

    [Fact]
    public void Look_EverySixHours_RaisesOnceADayUntilItIsRenewed()
    {
        Pass(TimeSpan.FromDays(65));
        for (var hours = 6; hours <= 72; hours += 6)
        {
            Pass(TimeSpan.FromHours(6));
        }

        Assert.Equal(4, _events.Count);
        Assert.Contains("is served until", _events[0].Message, StringComparison.Ordinal);

        Serve();
        Pass(TimeSpan.FromDays(2));
        Assert.Equal(4, _events.Count);
    }

    [Fact]
    public void Look_AfterExpiry_SaysSo()
    {
        Pass(TimeSpan.FromDays(91));

        Assert.Contains("late.test expired on", Assert.Single(_events).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_WallClockIsSetBackAndForth_DoesNotRepeat()
    {
        Pass(TimeSpan.FromDays(65));
        _time.SetUtcNow(_time.GetUtcNow().AddDays(3));
        _watch.Look();

        Assert.Single(_events);
    }

    private void Pass(TimeSpan time)
    {
        _time.Advance(time);
        _watch.Look();
    }

    private void Serve()
    {
        var now = _time.GetUtcNow();
        _catalog.Serve(_certificate, SampleCertificates.Snapshot(Name, now, now.AddDays(90)));
    }
}
