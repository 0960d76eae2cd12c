using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>The store does not answer once for each certificate, of more certificates than are worked on at once.</summary>
public sealed class LostQuestionTests
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 6).Select(i => $"n{i}.test")];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("lease orders/", true)]
    [InlineData("lease orders/", false)]
    [InlineData("read states/", true)]
    [InlineData("write states/", true)]
    [InlineData("write states/", false)]
    [InlineData("write certificates/", true)]
    [InlineData("write challenges/", true)]
    [InlineData("write challenges/", false)]
    [InlineData("lease challenges/", false)]
    public async Task Order_AQuestionToTheStoreIsLost_IsMadeAllTheSame(string question, bool heedsTokens)
    {
        var storage = new LosingStorage(new InMemoryStorage(), heedsTokens);
        await using var fixture = await LocalFixture.StartAsync();
        storage.Loses = asked => asked.StartsWith(question, StringComparison.Ordinal);
        await using var app = await fixture.StartAppAsync(fixture.Settings(Names), configure: builder =>
        {
            builder.Services.AddSingleton<IAcmeStorage>(storage);
            builder.Services.AddSingleton(QuickIssuance.Settings with { StoreTime = TimeSpan.FromMilliseconds(300) });
        });

        foreach (var name in Names)
        {
            await app.ObtainedAsync(name);
        }

        Assert.NotEqual(0, storage.Lost);
        await app.StopAsync(Cancelled);
    }
}
