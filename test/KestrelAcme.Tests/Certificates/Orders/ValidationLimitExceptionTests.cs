using KestrelAcme.Certificates.Failures;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

public sealed class ValidationLimitExceptionTests
{
    [Fact]
    public void Message_HeldBackRepeatedly_KeepsTheCauseAndDoesNotGrow()
    {
        var next = new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);
        var first = new ValidationLimitException(5, next, TimeSpan.FromMinutes(30), "The CA said: no TXT record.");
        var third = new ValidationLimitException(
            5, next, TimeSpan.FromMinutes(30), new ValidationLimitException(5, next, TimeSpan.FromMinutes(30), first.Message).Message);

        Assert.EndsWith("The CA said: no TXT record.", first.Message, StringComparison.Ordinal);
        Assert.Equal(first.Message, third.Message);
    }
}
