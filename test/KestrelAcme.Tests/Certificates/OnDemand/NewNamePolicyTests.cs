using System.Net;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Certificates.OnDemand;

public sealed class NewNamePolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 10, 20, 30, TimeSpan.Zero);

    [Fact]
    public void Take_OverTheHour_IsRefusedUntilTheHourIsOver()
    {
        var limits = Limits() with { PerHour = 3 };
        var counts = TakeMany(3, limits);

        var late = Take(counts, "late.example", null, Start.AddMinutes(59), limits);
        Assert.Contains("MaxNewNamesPerHour", late.Refusal, StringComparison.Ordinal);
        Assert.Null(Take(counts, "late.example", null, Start.AddMinutes(62), limits).Refusal);
    }

    [Fact]
    public void Take_OverTheDay_IsRefusedUntilTheDayIsOver()
    {
        var limits = Limits() with { PerDay = 2 };
        var counts = TakeMany(2, limits);

        var late = Take(counts, "late.example", null, Start.AddHours(23), limits);
        Assert.Contains("MaxNewNamesPerDay", late.Refusal, StringComparison.Ordinal);
        Assert.Null(Take(counts, "late.example", null, Start.AddHours(26), limits).Refusal);
    }

    [Fact]
    public void Take_OverTheDomain_RefusesOnlyThatDomain()
    {
        var limits = Limits() with { PerDomain = 1 };
        var counts = Take(new NewNameCounts(), "a.shop.example.co.uk", null, Start, limits).Counts;

        Assert.NotNull(Take(counts, "b.example.co.uk", null, Start.AddDays(6), limits).Refusal);
        Assert.Null(Take(counts, "other.co.uk", null, Start, limits).Refusal);
        Assert.Null(Take(counts, "b.example.co.uk", null, Start.AddDays(9), limits).Refusal);
    }

    [Fact]
    public void Take_OverTheNetwork_RefusesOnlyThatNetwork()
    {
        var limits = Limits() with { PerNetwork = 1 };
        var counts = Take(new NewNameCounts(), "a.example", "2001:db8:1:2::3", Start, limits).Counts;

        Assert.NotNull(Take(counts, "b.test", "2001:db8:1:ffff::9", Start, limits).Refusal);
        Assert.Null(Take(counts, "b.test", "2001:db8:2::1", Start, limits).Refusal);
        Assert.Null(Take(counts, "b.test", null, Start, limits).Refusal);
    }

    [Fact]
    public void Take_ClockGoesBack_DoesNotFillTheBudget()
    {
        var limits = Limits() with { PerHour = 2 };

        Assert.NotNull(Take(TakeMany(2, limits), "late.example", null, Start.AddMinutes(-30), limits).Refusal);
    }

    [Fact]
    public void Take_AnotherClockIsAhead_KeepsWhatTheOthersCounted()
    {
        var limits = Limits() with { PerHour = 3 };
        var counts = Take(TakeMany(2, limits), "ahead.example", null, Start.AddMinutes(90), limits).Counts;
        counts = Take(counts, "third.example", null, Start, limits).Counts;

        Assert.NotNull(Take(counts, "late.example", null, Start.AddMinutes(1), limits).Refusal);
    }

    [Fact]
    public void Take_Group_CountsForEachOfItsDomains()
    {
        var limits = Limits() with { PerDomain = 1, PerHour = 3 };
        CertificateIdentifier[] group = [new(IdentifierKind.Dns, "one.example"), new(IdentifierKind.Dns, "two.test")];
        var counts = NewNamePolicy.Take(new NewNameCounts(), group, null, Start, limits).Counts;

        Assert.NotNull(Take(counts, "www.one.example", null, Start, limits).Refusal);
        Assert.NotNull(Take(counts, "www.two.test", null, Start, limits).Refusal);
        Assert.Null(Take(counts, "three.test.example", null, Start, limits).Refusal);
    }

    [Fact]
    public void Counts_StoredAndRead_AreTheSame()
    {
        var limits = Limits() with { PerHour = 3 };
        var counts = NewNameCounts.Decode(TakeMany(3, limits).Encode());

        Assert.NotNull(Take(counts, "late.example", null, Start, limits).Refusal);
    }

    [Fact]
    public void Take_ForAMonth_KeepsOnlyWhatCounts()
    {
        var limits = Limits();
        var counts = new NewNameCounts();
        for (var hour = 0; hour < 24 * 30; hour++)
        {
            counts = Take(counts, $"n{hour}.test", $"10.{hour % 250}.0.1", Start.AddHours(hour), limits).Counts;
        }

        Assert.InRange(counts.Minutes.Count, 1, 3);
        Assert.InRange(counts.Hours.Count, 48, 49);
        Assert.InRange(counts.Domains.Count, 24 * 14, 24 * 15);
        Assert.InRange(counts.Networks.Count, 1, 3);
    }

    [Theory]
    [InlineData("a.b.example.com", "example.com")]
    [InlineData("example.com", "example.com")]
    [InlineData("www.example.co.uk", "example.co.uk")]
    [InlineData("co.uk", "co.uk")]
    [InlineData("www.example.de", "example.de")]
    [InlineData("localhost", "localhost")]
    public void RegisteredDomain_Name_IsApproximated(string name, string domain)
        => Assert.Equal(domain, NewNamePolicy.RegisteredDomain(new CertificateIdentifier(IdentifierKind.Dns, name)));

    private static NewNameCounts TakeMany(int count, OnDemandSpecification limits)
    {
        var counts = new NewNameCounts();
        for (var i = 0; i < count; i++)
        {
            counts = Take(counts, $"n{i}.test", null, Start, limits).Counts;
        }

        return counts;
    }

    private static (NewNameCounts Counts, string? Refusal) Take(
        NewNameCounts counts, string name, string? client, DateTimeOffset now, OnDemandSpecification limits)
        => NewNamePolicy.Take(
            counts, [new CertificateIdentifier(IdentifierKind.Dns, name)], client is null ? null : IPAddress.Parse(client), now, limits);

    private static OnDemandSpecification Limits() => new()
    {
        Wait = TimeSpan.FromSeconds(1),
        MaxWaiting = 1,
        PerHour = 1000,
        PerDay = 1000,
        PerDomain = 1000,
        PerNetwork = 1000,
        ForgetAfter = TimeSpan.FromDays(60),
    };
}
