using Xunit;
using Xunit.Sdk;

namespace KestrelAcme.Testing.Tests;

public sealed class PollTests
{
    [Fact]
    public async Task UntilAsync_BecomesTrue_Returns()
    {
        var calls = 0;

        await Poll.UntilAsync(() => ++calls == 3, "the third call", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(3, calls);
    }

    [Fact]
    public async Task UntilAsync_NeverTrue_FailsNamingWhatAndTheLastException()
    {
        var failure = await Assert.ThrowsAsync<FailException>(() =>
            Poll.UntilAsync(
                () => throw new IOException("no such pipe"),
                "the server to start",
                TimeSpan.FromMilliseconds(50),
                TestContext.Current.CancellationToken));

        Assert.Contains("the server to start", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no such pipe", failure.Message, StringComparison.Ordinal);
    }
}
