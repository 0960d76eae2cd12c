using KestrelAcme.Challenges.Dns01.Propagation;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class PropagationPolicyTests
{
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(2, 0.5)]
    [InlineData(7, 1.4)]
    [InlineData(300, 10)]
    public void NextPause_Elapsed_GrowsWithinItsBounds(double elapsed, double expected)
        => Assert.Equal(expected, PropagationPolicy.NextPause(TimeSpan.FromSeconds(elapsed)).TotalSeconds, 3);

    [Theory]
    [InlineData("V", false, true)]
    [InlineData("VV", true, true)]
    [InlineData("VP", false, false)]
    [InlineData("VU", false, true)]
    [InlineData("VU", true, false)]
    [InlineData("UU", false, false)]
    [InlineData("", false, false)]
    public void IsVisible_Servers_TrueIfAllUsableOnesShowIt(string states, bool every, bool expected) => Assert.Equal(
        expected,
        PropagationPolicy.IsVisible(
            states.Select(c => c switch { 'V' => ServerState.Visible, 'U' => ServerState.Unusable, _ => ServerState.Pending }), every));
}
