using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class RetryAfterHeaderTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("120", 120)]
    [InlineData(" 0 ", 0)]
    [InlineData("Sat, 21 Nov 2026 12:01:30 GMT", 90)]
    [InlineData("Saturday, 21-Nov-26 12:01:30 GMT", 90)]
    [InlineData("Sat, 21 Nov 2026 11:00:00 GMT", 0)]
    [InlineData("99999999999999999999", 366 * 86400)]
    public void Parse_EitherForm_IsATime(string value, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfterHeader.Parse(value, null, Now));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("1.5")]
    public void Parse_Neither_IsNone(string? value) => Assert.Null(RetryAfterHeader.Parse(value, null, Now));

    [Fact]
    public void Parse_Date_IsByTheServersClock() =>
        Assert.Equal(TimeSpan.FromSeconds(30), RetryAfterHeader.Parse("Sat, 21 Nov 2026 09:00:30 GMT", Now.AddHours(-3), Now));
}
